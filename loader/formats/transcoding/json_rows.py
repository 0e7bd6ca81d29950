"""JSON rows: one JSON record to the fields of one row.

Objects inside objects become dotted names (`start.lat`). Geometries stay whole, as GeoJSON text; so do arrays.
`{"$date": …}` and its like, as MongoDB exports them, are the value inside.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from shared.platform.errors import FileFormatError

# Keys of all records seen. A file with more has keys made of data, and each row would carry all of them.
COLUMNS_LIMIT: Final = 1_000
# Names, and characters of each, that a note lists.
_UNREAD_LIMIT: Final = 10
_UNREAD_CHARACTERS: Final = 60
# Objects inside objects that become names; what lies deeper stays JSON text.
DEPTH_LIMIT: Final = 8
# Objects around the fields that say nothing about them: of GeoJSON, Esri, Elasticsearch, OpenDataSoft, Airtable.
WRAPPERS: Final = ("properties", "attributes", "_source", "fields", "record.fields", "doc")
_GEOMETRY_TYPES: Final = frozenset(
    "Point MultiPoint LineString MultiLineString Polygon MultiPolygon GeometryCollection Feature FeatureCollection".split()  # noqa: SIM905
)
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


def flatten(record: Mapping[str, Any]) -> dict[str, str]:
    """Flatten a record: dotted name → text, in the record's order."""
    fields: dict[str, str] = {}
    for name, value in _walk(record, "", DEPTH_LIMIT):
        fields.setdefault(name, value)
    return fields


def _walk(record: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        inner = unwrap(value) if type(value) is dict else value
        if type(inner) is dict and inner and depth > 1 and not is_geometry(inner):
            yield from _walk(inner, f"{prefix}{key}.", depth - 1)
        else:
            yield prefix + key, to_field(inner)


def unwrap(value: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return what an object such as {"$date": {"$numberLong": "1"}} stands for; others as they are."""
    inner: Any = value
    while type(inner) is dict and len(inner) == 1 and next(iter(inner)).startswith("$"):
        inner = next(iter(inner.values()))
    return inner


def is_geometry(value: Mapping[str, Any]) -> bool:
    """Return whether an object is GeoJSON."""
    kind = value.get("type")
    return isinstance(kind, str) and kind in _GEOMETRY_TYPES


def to_field(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as a field's text: nothing for null."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    return to_text(value)


def to_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as JSON. Numbers and texts come alike; what looks like a number becomes one."""
    if type(value) is str:
        return value if _NUMBER.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    if type(value) is list:
        return f"[{', '.join(map(to_text, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{json.dumps(key, ensure_ascii=False)}: {to_text(inner)}' for key, inner in value.items())}}}"
    return {None: "null", True: "true", False: "false"}[value]


class UnreadKeys:
    """Keys that records have and the table has no column for, as they first appear after the sample; counted."""

    def __init__(self) -> None:
        self.records = 0
        self._counts: dict[str, int] = {}

    def add(self, fields: Mapping[str, str], keys: Collection[str]) -> None:
        """Count what a record holds under other keys. Names beyond the first are not remembered, but counted."""
        unread = [name for name, value in fields.items() if value and name not in keys]
        self.records += bool(unread)
        for name in unread:
            if name in self._counts or len(self._counts) < _UNREAD_LIMIT:
                self._counts[name] = self._counts.get(name, 0) + 1

    def describe(self) -> tuple[str, ...]:
        """Say what was not read; nothing where all was."""
        if not self.records:
            return ()
        names = ", ".join(f"{name[:_UNREAD_CHARACTERS]} ({count:,})" for name, count in self._counts.items())
        more = " and others" if len(self._counts) == _UNREAD_LIMIT else ""
        return (f"{self.records:,} records have keys that first appear after the beginning and are not read: {names}{more}.",)


class RowMaker:
    """Make rows of records: a field for each of the keys. Raises: RecursionError for records nested too deep.

    unread: where other keys are counted.
    """

    def __init__(self, keys: Sequence[str], unread: UnreadKeys | None = None) -> None:
        self._keys = tuple(keys)
        self._known = frozenset(keys)
        self._unread = unread

    def make(self, record: Any) -> list[str] | None:  # noqa: ANN401 - any JSON value
        """Make a row; None where the value is no record."""
        if type(record) is list:
            return [to_field(value) for value in record]
        if type(record) is not dict:
            return None
        if tuple(record) == self._keys:
            row = list(record.values())
            if all(value.__class__ is str for value in row):  # the usual record: flat, with every key, without null
                return row
        fields = flatten(record)
        if self._unread is not None and not self._known.issuperset(fields):
            self._unread.add(fields, self._known)
        return [fields.get(key, "") for key in self._keys]


def list_keys(records: Sequence[Any]) -> list[str]:
    """List the dotted names of all records, in the order they come. Raises: FileFormatError for more than COLUMNS_LIMIT."""
    keys: dict[str, None] = {}
    for record in records:
        if type(record) is dict:
            keys.update(dict.fromkeys(flatten(record)))
        if len(keys) > COLUMNS_LIMIT:
            raise FileFormatError(
                f"The JSON records have more than {COLUMNS_LIMIT:,} different keys: keys seem to be made of data. "
                "Write records with the same keys each.",
                code="too_many_columns",
            )
    return list(keys)


def name_columns(keys: Sequence[str]) -> tuple[str, ...]:
    """Name columns by their keys, without the wrapper around most of them where the rest stays unique."""
    for wrapper in WRAPPERS:
        prefix = f"{wrapper}."
        if sum(key.startswith(prefix) for key in keys) * 2 > len(keys) - 2:
            names = tuple(key.removeprefix(prefix) for key in keys)
            return names if len(set(names)) == len(names) else tuple(keys)
    return tuple(keys)
