"""Layout: what a Parquet file's footer says, and where the columns of its row groups lie."""

from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from loader.formats.parquet.limits import Chunk, damaged
from loader.formats.parquet.thrift import Struct, read_struct
from shared.platform.errors import FileFormatError

# Field numbers of parquet.thrift.
_ROW_GROUPS = 4
_COLUMNS, _GROUP_ROWS = 1, 3
_METADATA, _CRYPTO, _ENCRYPTED = 3, 8, 9
_CODEC, _VALUES, _UNPACKED, _PACKED, _DATA_PAGE, _DICTIONARY_PAGE = 4, 5, 6, 7, 9, 11
_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")


@dataclass(frozen=True)
class RowGroup:
    """A row group. Shape: chunks has one entry per column of the file, nested ones counted each."""

    rows: int
    chunks: tuple[Chunk, ...]

    def pick(self, leaves: list[int]) -> list[Chunk]:
        """Return the chunks of some columns."""
        return [self.chunks[leaf] for leaf in leaves]


@dataclass(frozen=True)
class Layout:
    """A file's footer: what pyarrow reads of it, its fields, which columns each field has, and its row groups."""

    metadata: pq.FileMetaData
    schema: pa.Schema
    leaves: tuple[range, ...]
    groups: tuple[RowGroup, ...]

    @classmethod
    def from_metadata(cls, metadata: pq.FileMetaData, footer: bytes) -> Self:
        """Lay out a footer. Raises: FileFormatError where its parts contradict each other."""
        schema = metadata.schema.to_arrow_schema()
        found, at = [], 0
        for field in schema:
            count = _count_leaves(field.type)
            found.append(range(at, at + count))
            at += count
        if at != metadata.num_columns:
            raise damaged("its columns are not those of its schema")
        groups = _read_groups(footer, metadata.num_columns)
        if sum(group.rows for group in groups) != metadata.num_rows or len(groups) != metadata.num_row_groups:
            raise damaged("its row groups have other rows than the file")
        return cls(metadata, schema, tuple(found), groups)

    def pick_leaves(self, fields: tuple[int, ...]) -> list[int]:
        """Return the file's columns of some fields."""
        return [leaf for field in fields for leaf in self.leaves[field]]

    def list_filled(self) -> list[int]:
        """Return the row groups that hold rows."""
        return [number for number, group in enumerate(self.groups) if group.rows]

    def is_nested(self, leaf: int) -> bool:
        """Return whether a column may have several values a row."""
        return bool(self.metadata.schema.column(leaf).max_repetition_level)

    def list_texts(self) -> list[str]:
        """Return the paths of columns of text or binary values."""
        columns = map(self.metadata.schema.column, range(self.metadata.num_columns))
        return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def encrypted() -> FileFormatError:
    """Return the error for a file that needs a key."""
    return FileFormatError("The Parquet file is encrypted. Write it without encryption.", code="encrypted_archive")


def _count_leaves(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _count_leaves(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _count_leaves(kind.value_type)
    return sum(_count_leaves(kind.field(index).type) for index in range(kind.num_fields)) if kind.num_fields else 1


def _read_groups(footer: bytes, columns: int) -> tuple[RowGroup, ...]:
    try:
        groups = read_struct(footer, 0)[0].get(_ROW_GROUPS) or []
    except IndexError as error:
        raise damaged("its footer has no end") from error
    found = tuple(RowGroup(group[_GROUP_ROWS], tuple(map(_read_chunk, group[_COLUMNS]))) for group in groups)
    if any(len(group.chunks) != columns for group in found):
        raise damaged("a row group has other columns than the file")
    return found


def _read_chunk(column: Struct) -> Chunk:
    found = column.get(_METADATA)
    if _CRYPTO in column or _ENCRYPTED in column or found is None:
        raise encrypted()
    start, dictionary = found[_DATA_PAGE], found.get(_DICTIONARY_PAGE) or 0
    codec = found[_CODEC]
    return Chunk(
        codec=_CODECS[codec] if 0 <= codec < len(_CODECS) else f"codec {codec}",
        values=found[_VALUES],
        packed=found[_PACKED],
        unpacked=found[_UNPACKED],
        offset=min(start, dictionary) if dictionary > 0 else start,
    )
