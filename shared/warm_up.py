"""Kernels: compiling at once what the first question would otherwise wait for."""

from datetime import date

import numpy as np

from shared.compaction.block_writer import make_blocks
from shared.compaction.flow_writer import FlowCells
from shared.compaction.segment_copy import encode_flows
from shared.compaction.sorted_ends import sort_ends
from shared.domain.area import Box
from shared.groups.question import FlowQuestion
from shared.groups.top_flows import LargestFlows, OrderedFlows
from shared.index.block_fetch import decode_blocks, flatten_datasources
from shared.index.flow_reader import read_flows
from shared.index.scan import ScanFilter, TimeCounter, find_cells, find_trips
from shared.index.scan_kernels import list_ends, list_positions, sum_groups
from shared.kernels.bit_packing import list_columns
from shared.kernels.morton import encode_positions
from shared.kernels.pair_counter import PairCounter


def compile_kernels() -> None:
    """Compile what is not compiled yet: 15 s on a new machine, then a tenth of a second."""
    encode_positions(np.zeros(1), np.zeros(1))
    sorted_ends = sort_ends(np.array([1, 5]), np.array([1 << 32, 2 << 32]), np.array([3, 4]))
    [row] = make_blocks(sorted_ends, [None])
    region, _, trips, x_at, y_at, times_at, _, base, *bounds, _, _, week_index, bits, _ = row
    block = (trips, region, base, 0, 1, -1, 1, 1, bounds[4], bounds[6], x_at, y_at - x_at, times_at - y_at, week_index, bits)
    blocks = decode_blocks([block])
    scan_filter = ScanFilter(Box(-180, -90, 180, 90).area(), None, date.min, date.min)
    TimeCounter(scan_filter, by_hour=False).add(blocks)
    sums = np.zeros((1, 7), np.int64), np.zeros((1, 65_536), np.bool_)
    sources = flatten_datasources([[0]])
    list_ends(blocks.table, blocks.words, sources, np.empty((3, 2), np.int64))
    list_positions(blocks.table, blocks.words, np.empty(2, np.int64))
    counter = PairCounter()
    sum_groups(blocks.table, blocks.words, (scan_filter.bounds, scan_filter.time_filter()), (counter.slots, 32, 1), sources, sums)
    counter.add(*(find_trips(blocks, scan_filter)[:2] >> 2))
    flows = OrderedFlows(LargestFlows(FlowQuestion(), None), is_seen=True)
    flows.add(find_cells(blocks, scan_filter, shift=2), complete_before=0)
    flows.finish()
    rows = FlowCells(sorted_ends).make_rows()
    encode_flows(rows, segment_id=1, kind=None)
    columns = zip(rows.headers.tolist(), list_columns(*rows.cells), list_columns(*rows.trips), strict=True)
    for (_, origin, count, first, _), *bits in columns:
        counter.add(*read_flows([(origin, first, count, *bits)]))
