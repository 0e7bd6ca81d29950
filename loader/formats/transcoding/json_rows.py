"""JSON rows: one JSON record to the fields of one row.

Objects inside objects become dotted names (`start.lat`). Geometries stay whole, as GeoJSON text; so do arrays.
`{"$date": …}` and its like, as MongoDB exports them, are the value inside.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shared.errors import FileFormatError

# Keys of all records seen. A file with more has keys made of data, and each row would carry all of them.
COLUMNS_LIMIT: Final = 1_000
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
    """Give what an object such as {"$date": {"$numberLong": "1"}} stands for; others as they are."""
    inner: Any = value
    while type(inner) is dict and len(inner) == 1 and next(iter(inner)).startswith("$"):
        inner = next(iter(inner.values()))
    return inner


def is_geometry(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is GeoJSON."""
    kind = value.get("type")
    return isinstance(kind, str) and kind in _GEOMETRY_TYPES


def to_field(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Give a value as a field's text: nothing for null."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    return to_text(value)


def to_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Give a value as JSON. Numbers and texts come alike; what looks like a number becomes one."""
    if type(value) is str:
        return value if _NUMBER.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    if type(value) is list:
        return f"[{', '.join(map(to_text, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{json.dumps(key, ensure_ascii=False)}: {to_text(inner)}' for key, inner in value.items())}}}"
    return {None: "null", True: "true", False: "false"}[value]


class RowMaker:
    """Make rows of records: a field for each of the keys. Raises: RecursionError for records nested too deep."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

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
