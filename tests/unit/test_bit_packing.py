"""Bits, pairs and axes: what is packed comes back, whatever the numbers."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain.position import gather_axis, spread_axis
from shared.kernels.bit_packing import pack_numbers, unpack_numbers
from shared.kernels.morton import gather, spread
from shared.kernels.pair_counter import PairCounter

columns = st.lists(st.lists(st.integers(0, 2**62 - 1) | st.integers(0, 300), max_size=70), min_size=1, max_size=4)


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(columns)
@example([[2**62 - 1] * 65, [], [0] * 33, [1]])
def test_columns_of_any_numbers_come_back(numbers: list[list[int]]) -> None:
    cuts = np.cumsum([0, *(len(column) for column in numbers)])
    words, starts = pack_numbers(np.array([number for column in numbers for number in column], np.int64), cuts)
    ahead = np.append(words, np.uint64(2**64 - 1))
    for start, column in zip(starts, numbers, strict=False):
        found = np.empty(len(column), np.int64)
        unpack_numbers(ahead, start, found)
        assert found.tolist() == column


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 2**62 - 1), min_size=1, max_size=70), min_size=1, max_size=4), st.integers(1, 3))
def test_columns_of_large_groups_come_back(numbers: list[list[int]], parts: int) -> None:
    columns = [column * parts for column in numbers]
    cuts = np.cumsum([0, *(len(column) for column in columns)])
    words, starts = pack_numbers(np.concatenate(columns), cuts, parts)
    ahead = np.append(words, np.uint64(2**64 - 1))
    for start, column in zip(starts, columns, strict=False):
        found = np.empty(len(column), np.int64)
        unpack_numbers(ahead, start, found, len(column) // parts)
        assert found.tolist() == column


def test_equal_numbers_cost_no_bits_but_their_width() -> None:
    words, _ = pack_numbers(np.zeros(160, np.int64), np.array([0, 160]))
    assert len(words) == 1


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**31 - 1))
def test_compiled_axes_are_those_of_positions(step: int) -> None:
    assert spread(step) == spread_axis(step)
    assert gather(spread_axis(step)) == step == gather_axis(spread(step))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 40), st.integers(1, 9)), max_size=50), st.integers(1, 400))
def test_pairs_are_added_up_while_their_table_grows(pairs: list[tuple[int, int, int]], times: int) -> None:
    counter, expected = PairCounter(), Counter[tuple[int, int]]()
    for shift in range(0, 4_000, times * 10):
        moved = [(origin + shift, destination, trips) for origin, destination, trips in pairs]
        counter.add(*np.ascontiguousarray(np.array(moved, np.int64).reshape(-1, 3).T))
        for origin, destination, trips in moved:
            expected[origin, destination] += trips
    assert {(origin, destination): trips for origin, destination, trips in counter.list_pairs().T.tolist()} == expected


def test_more_pairs_than_the_first_table_holds() -> None:
    counter = PairCounter()
    origins = np.arange(20_000)
    for _ in range(2):
        counter.add(origins, origins % 7)
    found = counter.list_pairs()
    assert found.shape == (3, 20_000)
    assert (found[2] == 2).all()
