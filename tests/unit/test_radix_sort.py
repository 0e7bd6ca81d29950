"""Sorting by radix against numpy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernels.radix_sort import count_numbers, order_numbers, sort_numbers
from shared.platform.arrays import Numbers

LARGEST = 2**63 - 1


def as_numbers(values: list[int]) -> Numbers:
    return np.array(values, np.int64)


few = st.lists(st.integers(0, 5), max_size=50)
any_size = st.lists(st.integers(0, LARGEST), max_size=50)
near = st.builds(lambda base, steps: [base + step for step in steps], st.integers(0, 2**62), few)


@pytest.mark.slow
@given(st.one_of(few, any_size, near).map(as_numbers))
def test_sorted_ordered_and_counted_as_numpy_does(values: Numbers) -> None:
    before = values.copy()
    assert order_numbers(values).tolist() == np.argsort(values, kind="stable").tolist()
    assert sort_numbers(values).tolist() == np.sort(values).tolist()
    for found, expected in zip(count_numbers(values), np.unique(values, return_counts=True), strict=True):
        assert found.tolist() == expected.tolist()
    assert (values == before).all()


@pytest.mark.parametrize("largest", [1, 511, 512, 2**36, 2**62])
def test_many_numbers_keep_their_order_among_equals(largest: int) -> None:
    values = np.random.default_rng(largest).integers(0, largest, 100_000)
    assert (order_numbers(values) == np.argsort(values, kind="stable")).all()
    numbers, counts = count_numbers(values)
    assert counts.sum() == len(values)
    assert (np.repeat(numbers, counts) == np.sort(values)).all()
