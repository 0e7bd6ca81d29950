"""Kernels: compiling at once what the first question would otherwise wait for."""

from datetime import date

import numpy as np

from shared.compaction.block_writer import make_blocks
from shared.compaction.flow_writer import FlowCells
from shared.compaction.segment_copy import encode_flows
from shared.compaction.sorted_ends import sort_points
from shared.domain.area import Box
from shared.groups.question import FlowQuestion
from shared.groups.top_flows import LargestFlows, OrderedFlows
from shared.index.block_fetch import list_sources
from shared.index.block_fetch import make_blocks as read_blocks
from shared.index.flow_reader import read_flows
from shared.index.scan import Choice, TimeCounter, find_cells, find_trips
from shared.index.scan_kernels import list_ends, list_places, sum_groups
from shared.kernels.bit_packing import list_columns
from shared.kernels.morton import encode_positions
from shared.kernels.pair_counter import PairCounter


def compile_kernels() -> None:
    """Compile what is not compiled yet: 15 s on a new machine, then a tenth of a second."""
    encode_positions(np.zeros(1), np.zeros(1))
    points = sort_points(np.array([1, 5]), np.array([1 << 32, 2 << 32]), np.array([3, 4]))
    [row] = make_blocks(points, [None])
    region, _, trips, x_at, y_at, times_at, _, base, *bounds, _, _, runs, bits, _ = row
    block = (trips, region, base, 0, 1, -1, 1, 1, bounds[4], bounds[6], x_at, y_at - x_at, times_at - y_at, runs, bits)
    blocks = read_blocks([block])
    choice = Choice(Box(-180, -90, 180, 90).area(), None, date.min, date.min)
    TimeCounter(choice, by_hour=False).add(blocks)
    sums = np.zeros((1, 7), np.int64), np.zeros((1, 65_536), np.bool_)
    sources = list_sources([[0]])
    list_ends(blocks.table, blocks.words, sources, np.empty((3, 2), np.int64))
    list_places(blocks.table, blocks.words, np.empty(2, np.int64))
    counter = PairCounter()
    sum_groups(blocks.table, blocks.words, (choice.bounds, choice.filters()), (counter.slots, 32, 1), sources, sums)
    counter.add(*(find_trips(blocks, choice)[:2] >> 2))
    flows = OrderedFlows(LargestFlows(FlowQuestion(), None), is_seen=True)
    flows.add(find_cells(blocks, choice, shift=2), complete_before=0)
    flows.finish()
    rows = FlowCells(points).make_rows()
    encode_flows(rows, run_id=1, kind=None)
    columns = zip(rows.heads.tolist(), list_columns(*rows.cells), list_columns(*rows.trips), strict=True)
    for (_, origin, count, first, _), *bits in columns:
        counter.add(*read_flows([(origin, first, count, *bits)]))
