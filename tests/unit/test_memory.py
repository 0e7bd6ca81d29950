"""Memory that is given back is gone, and nothing that is needed goes with it."""

import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shared.kernels.bit_packing import pack_numbers, unpack_numbers
from shared.platform.memory import give_back_code, give_back_free


def count_file_bytes() -> int:
    """Resident pages of files, libraries among them."""
    found = re.search(r"RssFile:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def pack_and_unpack() -> int:
    words, _ = pack_numbers(np.arange(100), np.array([0, 100]))
    found = np.empty(100, np.int64)
    unpack_numbers(np.append(words, np.uint64(0)), 0, found)
    return int(pl.Series(found).sum())


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_code_is_given_back_and_comes_again() -> None:
    assert pack_and_unpack() == 4_950
    before = count_file_bytes()
    give_back_code()
    assert count_file_bytes() < before - 20 * 2**20
    assert pack_and_unpack() == 4_950


def test_giving_back_what_is_free_leaves_what_is_used() -> None:
    kept = np.arange(1_000_000)
    np.arange(10_000_000)  # freed at once
    give_back_free()
    assert kept.sum() == 499_999_500_000
