"""Kernels: compiling at once what the first question would otherwise wait for."""

from datetime import date

import numpy as np

from shared.area import Box
from shared.bits import list_columns
from shared.block_loops import list_ends, list_places, sum_groups
from shared.block_rows import make_blocks
from shared.ends import Choice, TimeCounter, find_cells, find_trips, list_sources
from shared.ends import make_blocks as read_blocks
from shared.flow_counts import LargestFlows, OrderedFlows
from shared.flow_rows import FlowCells
from shared.groups import FlowQuestion
from shared.known_flows import read_flows
from shared.pairs import PairCounter
from shared.points import encode_positions, sort_points
from shared.run_writing import encode_flows


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
