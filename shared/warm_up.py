"""Warm-up: compile all kernels and read the index, so that the first question does not wait for it."""

import logging
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
from sqlalchemy import Engine

from shared.areas.shape import parse_shape
from shared.compaction.block_writer import make_blocks
from shared.compaction.flow_writer import FlowCells
from shared.compaction.segment_copy import encode_flows
from shared.compaction.sorted_ends import sort_ends
from shared.domain.area import Box
from shared.domain.clock import DAY
from shared.gazetteer.cell_names import name_cells
from shared.gazetteer.nearest import find_largest, find_nearest, make_grid
from shared.groups.ordered_counter import OrderedCounter
from shared.index.block_cache import BlockCache
from shared.index.block_fetch import decode_blocks, flatten_datasources
from shared.index.block_header import BlockHeader, BlockRow, EncodedBlock
from shared.index.copy_columns import parse_columns
from shared.index.flow_reader import FlowCoverage
from shared.index.layout import CELL_SHIFT, INSIDE
from shared.index.scan import ScanFilter, TimeCounter, find_cells, find_trips
from shared.index.scan_kernels import GROUP_SUMS, GroupKeys, list_ends, list_positions, sum_groups
from shared.index.snapshot import open_empty, open_snapshot, retry_stale
from shared.index.trip_scan import BLOCK_TESTS, ReachedCells, stream_trip_blocks
from shared.kernels.morton import decode_positions, encode_positions
from shared.kernels.pair_counter import PairCounter
from shared.platform.errors import TripdeckError
from shared.questions.area_counts import count_area
from shared.questions.period import Period
from shared.questions.period_counts import count_anywhere
from shared.questions.unindexed import AreaFilter
from shared.services.copy_binary import HEADER
from shared.services.database import transaction

LOG = logging.getLogger(__name__)

_MONDAY: Final = date(2026, 1, 5)


def compile_kernels() -> None:
    """Compile the kernels that are not cached yet: 15 s on a new machine, 0.1 s once they are cached."""
    sent = parse_columns(HEADER + b"\x00\x01" + b"\xff" * 6, fields=1)  # a row of one null, and the end
    _ = sent.numbers(0), sent.arrays(0), sent.texts(0)
    decode_positions(encode_positions(np.zeros(1), np.zeros(1)))
    sorted_ends = sort_ends(np.array([1, 5]), np.array([1 << 30, 2 << 30]), np.array([5, 6]), others=np.array([3, 4]))
    [values] = make_blocks(sorted_ends, [None])
    row = BlockRow(*values[:-1])
    header = BlockHeader(
        row.trips,
        other_x=row.other_x_low or 0,
        other_y=row.other_y_low or 0,
        delta_words=row.x_at,
        x_words=row.y_at - row.x_at,
        y_words=row.times_at - row.y_at,
        time_words=row.durations_at - row.times_at,
        duration_words=row.minutes_at - row.durations_at,
    )
    blocks = decode_blocks([EncodedBlock(header, row.week_index, row.bits)])
    blocks.table["end_test"] = blocks.table["other_test"] = INSIDE
    scan_filter = ScanFilter(Box(-180, -90, 180, 90).on_grid(), None, date.min, date.min)
    TimeCounter(scan_filter, by="duration").add(blocks)
    sums = np.zeros(1, GROUP_SUMS), np.zeros((1, 65_536), np.bool_)
    sources = flatten_datasources([[0]])
    list_ends(blocks.table, blocks.words, sources, np.empty((4, 2), np.int64))
    list_positions(blocks.table, blocks.words, np.empty(2, np.int64))
    counter = PairCounter()
    sum_groups(
        blocks.table,
        blocks.words,
        scan_filter.limits,
        GroupKeys(counter.slots, counter.slots, 32, np.zeros(1_440, np.int64)),
        sources,
        sums,
    )
    counter.add(*(find_trips(blocks, scan_filter)[:2] >> 2))
    counter.list_pairs()
    cells = find_cells(blocks, scan_filter, shift=2)
    for found, keys in ((cells, 2), (np.concatenate([cells, cells]), 3)):
        OrderedCounter(lambda *_: None, keys=keys).count([(found, 0)])
    find_nearest(make_grid(np.zeros(1), np.zeros(1))[0], np.zeros(1), np.zeros(1))
    find_largest(*np.zeros((3, 1), np.int64))
    encode_flows(FlowCells(sorted_ends).make_rows(), segment_id=1, kind=None)
    _ask_an_empty_index()


def _ask_an_empty_index() -> None:
    """Compile what reads snapshots: kernels are compiled for the types of their arguments, empty or not."""
    corners = [[0, 0], [1, 0], [0, 1], [0, 0]]
    shape = parse_shape({"type": "Polygon", "coordinates": [corners]}).on_grid()
    shape.ranges(np.array(shape.cut_ranges()))
    area, week = Box(0, 0, 1, 1).on_grid(), Period(_MONDAY, _MONDAY + 6 * DAY)
    rush, cut = replace(week, hours=[8]), replace(week, to_on=_MONDAY)
    for datasource_id in (None, 1):
        reader = open_empty(datasource_id=datasource_id)
        for period in (week, rush, cut):
            for end in ("both", "origin"):
                count_area(reader, AreaFilter(area, end), period)
            count_area(reader, AreaFilter(area, "origin"), period, by="hour")
            count_anywhere(reader, period, by="hour")
    cells = ReachedCells(CELL_SHIFT, np.zeros(1, np.int64), np.zeros(1, np.int64))
    list(stream_trip_blocks(reader, ScanFilter(area, None, _MONDAY, _MONDAY), tests=BLOCK_TESTS["either"], cells=cells))
    coverage, flows = FlowCoverage("both", area, None), reader.read_flows()
    coverage.count_rows(flows, coverage.select(flows, reader.trips))
    cache = BlockCache(1)
    cache.put([(1, 0)], [np.zeros(1, np.uint64)])
    with cache.find(np.ones(1, np.int64), np.ones(1, np.int64)):
        pass


def read_gazetteer() -> None:
    """Read the places that cells are named by."""
    name_cells(np.zeros(1, np.int64), 0)


def read_index(engine: Engine) -> None:
    """Read the headers and counts of what is visible; without a database the first question does it."""
    try:
        with transaction(engine) as connection:
            retry_stale(lambda: open_snapshot(connection).read_flows())()
    except TripdeckError as error:
        LOG.warning("the index was not read in advance", extra={"error": error.message})
