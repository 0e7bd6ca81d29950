"""The loader's verdicts equal those of the slow reference on fuzzed bytes, and never depend on the size of batches or chunks."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loader.formats import BatchSplitter, FilePlan, LoadOptions, parse_batch
from loader.formats.model.dialect import Dialect
from loader.formats.model.time_format import TimeFormat
from tests.unit.formats.reference import Verdict, judge_challenge_rows

COLUMNS = ("region", "origin", "destination", "time", "datasource")
ROLES = {"region": 0, "origin": 1, "destination": 2, "started_at": 3, "datasource": 4}


def make_plan(
    *, delimiter: str = ",", header_lines: int = 0, limit: int = 2**20, order: str = "ymd", has_spaces: bool = False
) -> FilePlan:
    return FilePlan(
        dialect=Dialect(
            delimiter=delimiter, header_lines=header_lines, has_header=header_lines > 0, has_spaces=has_spaces, field_count=5
        ),
        columns=COLUMNS,
        roles=ROLES,
        time=TimeFormat(date_order=order),  # type: ignore[arg-type]
        record_limit_bytes=limit,
    )


def judge(
    data: bytes, plan: FilePlan, *, batch_bytes: int = 2**24, chunk_bytes: int = 2**24, timezone: str = "UTC"
) -> list[Verdict]:
    """Load bytes as the product does, and give the verdicts in the reference's form."""
    splitter = BatchSplitter(plan, batch_bytes=batch_bytes)
    options = LoadOptions(timezone=timezone)
    verdicts: list[Verdict] = []
    offset = 0
    chunks = (data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes))
    for piece, kept in splitter.split(chunks):
        assert piece.offset == offset
        offset += piece.bytes
        assert kept is None
        content = data[piece.offset : offset]
        parsed = parse_batch(content, plan, piece, options=options)
        assert parsed.rows_read == parsed.trips.height + parsed.rejects.height
        rejected = {row["record_in_batch"]: row for row in parsed.rejects.iter_rows(named=True)}
        trips = parsed.trips.drop("duration_s").iter_rows()
        for record in range(1, parsed.rows_read + 1):
            reject = rejected.get(record)
            line = -1 if reject is None else piece.lines_before + reject["line_in_batch"]
            raw = b"" if reject is None else reject["raw"].encode()
            trip = next(trips) if reject is None else None
            verdicts.append(Verdict(line, piece.records_before + record, None if reject is None else reject["reason"], raw, trip))
    assert offset == len(data)
    return verdicts


def same(found: list[Verdict], expected: list[Verdict]) -> None:
    assert [verdict.record for verdict in found] == [verdict.record for verdict in expected]
    assert [verdict.reason for verdict in found] == [verdict.reason for verdict in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.trip == other.trip
        if one.reason is not None:
            assert one.line == other.line
            assert one.raw == other.raw.decode("utf-8", "replace").replace("\0", "␀").encode()


LETTERS = st.lists(
    st.sampled_from([b"a", b",", b'"', b"\n", b"\r", b"\r\n", b" ", b"\t", b'""', b',"', b'",', b"\xc3\xa9"]), max_size=60
).map(b"".join)
CELLS = st.sampled_from(
    [
        *(b"Prague", b"", b" ", b"NULL", b"\xff", b"x" * 201, b"a\0b", b'5" pipe', b"caf\xc3\xa9", b"07:46.4"),
        *(b"POINT (14.5 50.1)", b"POINT(14.5 50.1)", b"point z (1 2 3)", b"POINT (0 0)", b"POINT (0 0.0)", b"POINT (190 5)"),
        *(b"POINT (-180 90)", b"POINT (1e1 -.5)", b"POINT (1 2", b"POINT (nan 1)", b"POINT (1  2)", b"POINT ( 1 2 )"),
        *(b"SRID=4326;POINT (7 8)", b"POINT (inf 1)", b"POINT (1,2)", b"POINT (+3 4.)", b"POINT EMPTY", b"POINT (1 2 )"),
        *(b"POINT (1 2) x", b"POINT (\xc3\xa9 2)", b"POINT (1_0 2)", b"POINT (0x1 2)", b"POINT (1e400 2)", b"POINT (1-2 3)"),
        *(b"POINT (. 3)", b"2018-05-28 09:03:40", b"2018-05-28T09:03:40Z", b"2018-05-28 09:03", b"2018-05-28"),
        *(b"2018-05-28 09:03:40.123456789+02:00", b"2018-5-8 9:03:40", b"2018-02-30 09:03:40", b"2018-05-28 24:00:00"),
        *(b"2018-05-28 25:00:00", b"2018-05-28 09:60:00", b"1899-12-31 23:59:59", b"2100-12-31 23:59:59", b"2101-01-01 00:00:00"),
        *(b"2018-05-28 09:03:60", b" 2018-05-28 09:03:40 ", b"2018-03-25 01:30:00+00:00", b"2018-10-28 00:30:00 UTC"),
        *(b"2018-10-28T01:30:00Z", b"2018-05-28 09:03:40 -0530", b"2018/05/28 9:03 PM", b"2018-05-28 13:03 PM"),
        *(b"2018-05-28 09:03:4", b"+018-05-28 09:03:40", b"2018-05-28 +9:03:40", b"2018-05-28  9:03:40"),
        *(b"2018-05-28 09:03:40+99:00", b"0000-01-01 00:00:00"),
    ]
)


@st.composite
def tables(draw: st.DrawFn, delimiter: bytes = b",") -> bytes:
    """Make rows of five cells, mostly, with the field's oddities around them."""
    good = [b"Turin", b"POINT (7.67 44.99)", b"POINT (7.72 45.06)", b"2018-05-21 02:54:04", b"baba_car"]
    parts = []
    for _ in range(draw(st.integers(0, 12))):
        cells = list(good)
        for _ in range(draw(st.integers(0, 2))):
            cells[draw(st.integers(0, 4))] = draw(CELLS)
        if draw(st.integers(0, 7)) == 0:
            cells = cells[: draw(st.integers(1, 5))] + [draw(CELLS)] * draw(st.integers(0, 2))
        parts.append(delimiter.join(draw(_written(cell)) for cell in cells))
        parts.append(draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\n \n", b"\r\n\r\n"])))
    return b"".join(parts[: len(parts) - draw(st.integers(0, 1))])


def _written(cell: bytes) -> st.SearchStrategy[bytes]:
    whole = b'"' + cell.replace(b'"', b'""') + b'"'
    return st.sampled_from(
        [cell, cell, cell, whole, whole, b'"two\n' + cell + b'"', whole + b"x", b'"' + cell, b'"\r\n"""' + cell + b'"']
    )


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=LETTERS, limit=st.sampled_from([4, 10, 2**20]), has_spaces=st.booleans())
@example(data=b'"a""\n",b\n', limit=4, has_spaces=False)
@example(data=b'a, "b,\n", "c"\n', limit=10, has_spaces=True)
def test_letters_are_cut_as_the_reference_cuts_them(data: bytes, limit: int, has_spaces: bool) -> None:
    same(
        judge(data, make_plan(limit=limit, has_spaces=has_spaces)), judge_challenge_rows(data, limit=limit, has_spaces=has_spaces)
    )


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=tables(), timezone=st.sampled_from(["UTC", "Europe/Prague"]))
def test_rows_get_the_verdicts_of_the_reference(data: bytes, timezone: str) -> None:
    same(judge(data, make_plan(), timezone=timezone), judge_challenge_rows(data, timezone=timezone))


def sizes() -> st.SearchStrategy[int]:
    return st.one_of(st.integers(1, 40), st.integers(1, 2000))


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    data=st.one_of(tables(), LETTERS),
    batch_bytes=sizes(),
    chunk_bytes=sizes(),
    limit=st.sampled_from([20, 300, 2**20]),
    header_lines=st.integers(0, 2),
)
def test_verdicts_do_not_depend_on_batch_or_chunk_size(
    data: bytes, batch_bytes: int, chunk_bytes: int, limit: int, header_lines: int
) -> None:
    plan = make_plan(limit=limit, header_lines=header_lines)
    same(
        judge(data, plan, batch_bytes=batch_bytes, chunk_bytes=chunk_bytes),
        judge_challenge_rows(data, limit=limit, header_lines=header_lines),
    )


def test_the_reference_can_disagree() -> None:
    """Control: a wrong rule is seen."""
    data = b'a,"POINT (1 2)",POINT (1 2),2018-05-28 09:03:40,b\n'
    wrong: Iterator[Verdict] = iter(judge_challenge_rows(data.replace(b"(1 2)", b"(1 200)")))
    assert [verdict.reason for verdict in judge(data, make_plan())] != [verdict.reason for verdict in wrong]
