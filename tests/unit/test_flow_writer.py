"""Flows: the rows of segment_flow hold each trip once, per kind and pair of cells, in order, however far apart the cells lie."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.compaction.flow_writer import FlowCells
from shared.compaction.sorted_ends import sort_ends
from shared.kernels.bit_packing import list_columns, unpack_numbers
from shared.platform.arrays import Numbers

CITY = st.integers(3_557_245_421_729_726_919, 3_557_245_421_729_726_919 + (3 << 33))
ANYWHERE = st.integers(0, 2**62 - 1)
TRIPS = st.lists(
    st.tuples(CITY, CITY | ANYWHERE, st.integers(1, 2), st.integers(0, 3) | st.just(32_767)), min_size=1, max_size=80
)

Flow = tuple[int, int, int, int]
"""Kind, region, origin cell, destination cell."""


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(TRIPS, st.booleans())
def test_each_trip_is_in_one_flow_of_its_kind(trips: list[tuple[int, int, int, int]], is_many: bool) -> None:
    trips = trips * (200 if is_many else 1)
    origins, destinations, regions, kinds = np.array(trips, np.int64).T
    # Kinds go the way of datasources: they are sorted with the points.
    sorted_ends = sort_ends(origins, regions << 15 | kinds, np.zeros_like(origins), others=destinations)
    found = list(list_flows(sorted_ends.stamps & 32_767, FlowCells(sorted_ends)))
    assert dict(found) == Counter((kind, region, origin >> 32, to >> 32) for origin, to, region, kind in trips)
    assert len(found) == len(dict(found))
    assert found == sorted(found)


def test_flows_need_both_ends() -> None:
    with pytest.raises(ValueError, match="both ends"):
        FlowCells(sort_ends(np.array([1]), np.array([1 << 32]), np.array([0])))


def list_flows(kinds: Numbers, flows: FlowCells) -> Iterator[tuple[Flow, int]]:
    rows = flows.make_rows(kinds)
    heads = zip(rows.kinds.tolist(), rows.headers.tolist(), list_columns(*rows.cells), list_columns(*rows.trips), strict=True)
    for kind, (region, origin, size, first, last), cells, trips in heads:
        destinations = first + np.cumsum(unpack(cells, size))
        assert (destinations[0], destinations[-1]) == (first, last)
        for destination, count in zip(destinations.tolist(), unpack(trips, size).tolist(), strict=True):
            yield (kind, region, origin, destination), count


def unpack(column: bytes, size: int) -> Numbers:
    numbers = np.empty(size, np.int64)
    unpack_numbers(np.frombuffer(column + bytes(8), np.uint64), 0, numbers)
    return numbers
