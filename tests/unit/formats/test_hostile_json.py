"""Hostile JSON: bounded time and memory, and one clear message or exact rejects."""

import gzip
import json
import time
import tracemalloc

import pytest

from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes
from tests.unit.formats.test_json import FLAT

GOOD = json.dumps(FLAT[0])
LINES = f"{GOOD}\n{GOOD}\n"


def refuse(data: bytes) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert len(caught.value.message) < 700
    return caught.value


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (b"[" * 1_000_000, {"not_a_table", "damaged_json"}),
        (b'{"a":' * 1_000_000, {"not_a_table", "damaged_json"}),
        (b'[{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}]", {"damaged_json"}),
        (b'[{"a":' + b'{"b":' * 50_000 + b"1" + b"}" * 50_000 + b"}]", {"damaged_json", "missing_roles"}),
        (b"[{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}]", {"too_many_columns", "not_a_table"}),
        (b"[" + b",".join(b'{"k%d":1}' % number for number in range(2_000)) + b"]", {"too_many_columns"}),
        (b'[{"a": "' + b"x" * 40_000_000, {"not_a_table"}),
        (b'[{"a": ' + b"9" * 2_000_000 + b"}]", {"not_a_table"}),
        (b"{" * 100, {"not_a_table", "damaged_json", "one_column"}),
        (gzip.compress(b"[" + b" " * 200_000_000), {"decompression_bomb", "not_a_table", "damaged_json"}),
    ],
)
def test_refused_soon(data: bytes, codes: set[str]) -> None:
    began = time.process_time()
    assert refuse(data).error_code in codes
    assert time.process_time() - began < 20


def test_a_line_nested_too_deep_is_a_reject() -> None:
    deep = '{"started_at": ' + "[" * 100_000 + "]" * 100_000 + "}"
    loaded = load_bytes(f"{LINES}{deep}\n{GOOD}\n".encode())
    assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (3, ["malformed_record"])


def test_keys_behind_the_sample_make_no_columns() -> None:
    late = "".join(json.dumps({**FLAT[0], f"late{number}": 1}) + "\n" for number in range(3_000))
    loaded = load_bytes((LINES * 200 + late).encode(), sample_bytes=20_000)
    assert loaded.trips.height == 3_400
    assert len(loaded.plan.columns) == 5


def test_a_long_record_is_a_reject_and_an_endless_one_ends_the_load() -> None:
    long = json.dumps({**FLAT[0], "note": "x" * 2_000_000})
    first = json.dumps({**FLAT[0], "note": "short"})
    loaded = load_bytes(f"{first}\n{GOOD}\n{long}\n{GOOD}\n".encode())
    assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (3, ["record_too_long"])
    data = f"[{first},{long},{GOOD}]".encode()
    assert load_bytes(data, sample_bytes=3_000_000).rejects["reason"].to_list() == ["record_too_long"]
    with pytest.raises(FileFormatError) as caught:
        load_bytes(f"{LINES * 5}".encode() + b'{"a": "' + b"x" * 40_000_000, sample_bytes=1_000)
    assert caught.value.error_code == "endless_record"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file() -> None:
    record = json.dumps(FLAT[0]).encode()

    def peak(rows: int) -> int:
        data = b"[" + b",".join([record] * rows) + b"]"
        tracemalloc.start()
        try:
            from loader.formats import LoadOptions, detect_format
            from loader.formats.streams import open_stream

            plan = detect_format(data[:100_000], file_name="f", options=LoadOptions(), is_whole=False)
            chunks = (data[at : at + 65_536] for at in range(0, len(data), 65_536))
            assert sum(chunk.count(b"\n") for chunk in open_stream(chunks, plan)) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(40_000) < peak(5_000) + 2_000_000
