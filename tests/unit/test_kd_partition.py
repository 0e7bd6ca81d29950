"""Patches: each block's other ends lie together, nothing leaves its patch, and nothing is lost."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.position import X_MASK, Y_MASK
from shared.kernels.kd_partition import part_patches
from shared.kernels.morton import encode_positions, gather
from shared.platform.arrays import Numbers

BLOCKS, BLOCK_TRIPS = 64, 500
POSITIONS = st.lists(st.integers(0, 2**62 - 1) | st.integers(0, 5), min_size=1, max_size=60)


@pytest.mark.slow
@settings(deadline=None, derandomize=True)
@given(st.lists(POSITIONS, min_size=1, max_size=4), st.integers(1, 9))
def test_trips_stay_in_their_patch_and_in_order(patches: list[list[int]], block_trips: int) -> None:
    limits = np.cumsum([0, *map(len, patches)])
    cuts = np.unique([*limits.tolist(), *range(0, int(limits[-1]), block_trips)])
    found = part_patches(np.array([position for patch in patches for position in patch], np.int64), limits, cuts)
    for first, last in pairwise(limits):
        assert sorted(found[first:last].tolist()) == list(range(first, last))
    for first, last in pairwise(cuts):
        assert (np.diff(found[first:last]) > 0).all()


@settings(deadline=None, derandomize=True)
@given(POSITIONS, st.integers(1, 59))
def test_a_patch_of_two_blocks_is_cut_across_one_axis(positions: list[int], cut: int) -> None:
    cut = min(cut, len(positions) - 1)
    if not cut:
        return
    others = np.array(positions, np.int64)
    found = others[part_patches(others, np.array([0, len(others)]), np.array([0, cut, len(others)]))]
    assert any((found[:cut] & mask).max() <= (found[cut:] & mask).min() for mask in (X_MASK, Y_MASK))


def test_blocks_cover_less_than_slices_of_the_order_by_position() -> None:
    draw = random.Random(3)
    places = np.array([(draw.gauss(7.67, 0.05), draw.gauss(45.07, 0.05)) for _ in range(BLOCKS * BLOCK_TRIPS)])
    others = encode_positions(places[:, 0], places[:, 1])
    found = part_patches(others, np.array([0, len(others)]), np.arange(BLOCKS + 1) * BLOCK_TRIPS)
    assert measure_blocks(others[found]) < 0.6 * measure_blocks(np.sort(others))


def measure_blocks(others: Numbers) -> float:
    """The middle block's extent, in squared steps."""
    x, y = (np.array([gather(int(position) >> shift) for position in others]).reshape(BLOCKS, -1) for shift in (1, 0))
    return float(np.median(np.ptp(x, axis=1) * np.ptp(y, axis=1)))
