"""JSON tables: where the records are in a JSON text, from its beginning.

Records are lines (NDJSON), values one after the other, the elements of an array, or of one that lies inside objects
(`data.trips`, GeoJSON's `features`). A record is an object, or an array of values (then the names may be in the first).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from loader.formats.model.inner_table import InnerTable
from loader.formats.transcoding.json_reader import DECODER, PATH_LIMIT, IncompleteError, JsonReader
from shared.platform.errors import FileFormatError

# Records that columns are told by.
SAMPLE_RECORDS: Final = 10_000
# Lines that tell NDJSON from other JSON.
_LINES: Final = 50
# Arrays that are looked into.
_TABLES_LIMIT: Final = 20
# Characters that tell JSON from other text.
_BEGINNING: Final = 4_096
_FOLLOWING: Final = {"{": ('"', "}", ""), "[": ("{", "[", "]", '"', "")}
BLANKS: Final = " \t\r\n\x1e\ufeff"


@dataclass(frozen=True)
class FoundTable:
    """A table and its first records."""

    table: InnerTable
    records: list[Any]
    is_whole: bool


def find_json_tables(text: str, *, encoding: str, is_whole: bool) -> list[FoundTable]:
    """Find the tables in the first characters of a JSON file, the outermost first. Raises: FileFormatError where it is none."""
    if (lines := _find_lines(text, encoding, is_whole=is_whole)) is not None:
        return [lines]
    reader = JsonReader([text])
    first = reader.peek()
    if first == "[":
        found = list(_take_array(JsonReader([text]), (), encoding, is_whole=is_whole))
    else:
        found = _find_in_objects(text, encoding, is_whole=is_whole)
    if text.strip(BLANKS) == "[]" and is_whole:
        raise FileFormatError("The JSON holds no records.", code="empty_file")
    if not found:
        raise FileFormatError(
            f"This JSON holds no records{'' if is_whole else ' in its beginning'}: expected an array of objects, a line for "
            "each, or GeoJSON features. With pandas, write it with to_json(orient='records').",
            code="not_a_table",
        )
    return found


def _find_lines(text: str, encoding: str, *, is_whole: bool) -> FoundTable | None:
    lines = text.split("\n")
    if not is_whole:
        del lines[-1]
    filled = [line for line in islice(lines, SAMPLE_RECORDS) if line.strip(BLANKS)]
    records = [record for record in map(decode_line, filled) if record is not None]
    good = [record for record in map(decode_line, filled[:_LINES]) if record is not None]
    if len(good) < 2 or len(good) * 2 < len(filled[:_LINES]) or (type(good[0]) is list and _has_lists(good[0])):
        return None
    kind = type(good[0])
    return FoundTable(InnerTable("json", layout="lines", encoding=encoding), [r for r in records if type(r) is kind], is_whole)


def _has_lists(record: list[Any]) -> bool:
    return any(type(value) in (list, dict) for value in record)


def decode_line(line: str) -> Any | None:  # noqa: ANN401 - any JSON value
    """Decode a line that is one object or array; None where it is none."""
    line = line.strip(BLANKS)
    if not line.startswith(("{", "[")):
        return None
    try:
        value, end = DECODER.raw_decode(line)
    except (ValueError, RecursionError):
        return None
    return value if end == len(line) else None


def _find_in_objects(text: str, encoding: str, *, is_whole: bool) -> list[FoundTable]:
    reader = JsonReader([text])
    values: list[Any] = []
    try:
        while reader.peek() == "{" and len(values) < SAMPLE_RECORDS:
            values.append(reader.decode())
            reader.take(",")
    except IncompleteError:
        if is_whole and values:
            raise
    whole = FoundTable(InnerTable("json", layout="values", encoding=encoding), values, is_whole)
    if len(values) > 1:
        return [whole]
    arrays = list(islice(_walk(JsonReader([text]), (), encoding, is_whole=is_whole), _TABLES_LIMIT))
    return arrays + [whole] * len(values)


def _walk(reader: JsonReader, path: tuple[str, ...], encoding: str, *, is_whole: bool) -> Iterator[FoundTable]:
    """Find the arrays of records inside objects."""
    try:
        for key in reader.iterate_keys():
            inner, opening = (*path, key), reader.peek()
            if opening == "[":
                yield from _take_array(reader, inner, encoding, is_whole=is_whole)
            elif opening == "{" and len(inner) < PATH_LIMIT:
                yield from _walk(reader, inner, encoding, is_whole=is_whole)
            else:
                reader.skip()
    except IncompleteError:
        if is_whole:
            raise


def _take_array(reader: JsonReader, path: tuple[str, ...], encoding: str, *, is_whole: bool) -> Iterator[FoundTable]:
    records: list[Any] = []
    is_complete = True
    try:
        for value in reader.iterate_array():
            if len(records) < SAMPLE_RECORDS:
                records.append(value)
    except IncompleteError:
        if is_whole:
            raise
        is_complete = False
    kinds = {type(record) for record in records}
    is_rows = kinds == {list} and not any(map(_is_nested, records[:_LINES]))
    if kinds == {dict} or is_rows or (dict in kinds and list not in kinds):
        table = InnerTable("json", name=".".join(path), path=path, layout="array", encoding=encoding)
        yield FoundTable(table, records, is_complete and len(records) < SAMPLE_RECORDS)


def _is_nested(row: list[Any]) -> bool:
    """Return whether an array is a line's points rather than a row of a table."""
    return len(row) < 2 or all(type(value) is list for value in row)


def iterate_records(pieces: Iterable[str], table: InnerTable) -> Iterator[Any]:
    """Yield the records of a table one after the other, from the whole text. Raises: FileFormatError where it breaks off."""
    reader = JsonReader(pieces)
    if table.layout == "values":
        while reader.take(",") or reader.peek():
            if reader.peek():
                yield reader.decode()
        return
    reader.enter(table.path)
    yield from reader.iterate_array()


def looks_like_json(text: str) -> bool:
    """Return whether a text begins as JSON that may hold records, and not as a CSV row whose first field is JSON."""
    start = text[:_BEGINNING].lstrip(BLANKS)
    following = start[1:].lstrip(BLANKS)[:1]
    is_likely = following in (_FOLLOWING.get(start[:1]) or ())
    line = start.partition("\n")[0]
    try:
        _, end = DECODER.raw_decode(line)
    except (ValueError, RecursionError):
        return is_likely  # the value goes on
    rest = line[end:].strip(BLANKS)
    return start[:1] in _FOLLOWING and (rest in ("", ",") or (is_likely and rest.lstrip(BLANKS + ",").startswith("{")))
