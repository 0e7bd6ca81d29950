"""Boundaries: counting line ends finds what reading the records finds."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from loader.formats import FilePlan
from loader.formats.delimited.boundaries import PlainLines, find_boundaries
from loader.formats.text.records import split_records

PLAN = FilePlan()
TAB = b"\t"
LETTERS = st.lists(
    st.sampled_from([b"a", b"b,", b"\n", b"\n", b"\r\n", b"\r", b'"', b" ", TAB, b"x" * 127, b"y" * 200]), max_size=60
)


@given(LETTERS, st.booleans())
@example([b"a\n" * 64, b"b\r"], True)
@example([b"a" * 127, b"\n", b"\n"], True)
@example([b"a" * 128, b"\r", b"a"], True)
@example([b"a\n", b"\n"], True)
def test_plain_lines_end_where_records_end(parts: list[bytes], has_quote: bool) -> None:
    window = b"".join(parts)
    plan = PLAN if has_quote else replace(PLAN, dialect=replace(PLAN.dialect, quote=""))
    records = split_records(window, plan.dialect, limit=plan.record_limit_bytes, is_end=False, has_fields=False)
    found = find_boundaries(memoryview(window), plan, header_lines=0)
    assert found.end == (records.boundaries[-1] if len(records.boundaries) else 0)
    ends = [0, *records.boundaries.tolist()]
    for size in range(len(window) + 1):
        assert found.last_within(size) == max(end for end in ends if end <= size)
    if found.end:
        assert found.longest >= max(np.diff(ends))
    for first, last in pairwise(ends):
        assert found.first_after(first) == last
        counts = {
            "lines": int(np.count_nonzero((records.line_starts > first) & (records.line_starts <= last))),
            "records": int(np.count_nonzero((records.starts >= first) & (records.starts < last))),
        }
        assert found.between(first, last) == counts


def test_the_usual_file_is_counted_and_others_are_read() -> None:
    usual = b"a,b\n" * 1_000
    for window in (usual, usual.replace(b"\n", b"\r\n"), usual + b"a", usual + b"a\r"):
        assert isinstance(find_boundaries(memoryview(window), PLAN, header_lines=0), PlainLines)
    for odd in (b'"', b"\n", b" ", b"\r\n", b"a\ra"):
        window = usual + odd + usual
        assert not isinstance(find_boundaries(memoryview(window), PLAN, header_lines=0), PlainLines)
    assert not isinstance(find_boundaries(memoryview(usual), PLAN, header_lines=1), PlainLines)
