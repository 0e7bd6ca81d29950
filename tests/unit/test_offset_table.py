"""Offset table: the same as a dictionary, through growth and removal."""

import random

import numpy as np

from shared.kernels.offset_table import ABSENT, OffsetTable


def test_it_is_a_dictionary_of_ids_and_columns() -> None:
    dice = random.Random(1)
    table, expected = OffsetTable(), dict[tuple[int, int], int]()
    for _ in range(200):
        keys = [(dice.choice([dice.randrange(300), dice.randrange(-(2**63), 2**63)]), dice.randrange(4)) for _ in range(30)]
        offsets = [ABSENT if dice.random() < 0.4 else dice.randrange(1 << 40) for _ in keys]
        table.set(*split(keys), np.array(offsets))
        expected |= dict(zip(keys, offsets, strict=True))
        asked = [*dice.sample(sorted(expected), min(len(expected), 50)), (2**62 + 1, 0)]
        assert table.find(*split(asked)).tolist() == [expected.get(key, ABSENT) for key in asked]
    assert len(expected) > 3_000


def test_removed_keys_take_no_room_for_ever() -> None:
    table = OffsetTable()
    for first in range(0, 100_000, 100):
        keys = [(first + number, 0) for number in range(100)]
        table.set(*split(keys), np.arange(100))
        table.set(*split(keys), np.full(100, ABSENT))
    assert len(table) <= 4_096


def split(keys: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    ids, columns = np.array(keys, np.int64).T
    return ids.copy(), columns.copy()
