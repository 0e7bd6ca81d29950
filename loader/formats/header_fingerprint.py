"""Headers: files of the same kind are known by the names of their columns, however a letter or a blank differs.

A Parquet file's columns have types besides; of a file without a header only the kinds of its columns are known.
"""

import hashlib
from collections.abc import Iterator, Sequence

from loader.formats.candidates import detect_decimal
from loader.formats.containers.byte_ranges import ByteRanges, BytesMissingError, WholeFile
from loader.formats.delimited.dialect import Layout, read_layouts, read_table
from loader.formats.detection.column_profile import MOSTLY, Profile
from loader.formats.model.dialect import Dialect
from loader.formats.model.options import LoadOptions
from loader.formats.parquet.batches import MAGIC as PARQUET_MAGIC
from loader.formats.parquet.batches import pack_footer, read_footer, read_layout
from loader.formats.sample_text import read_text
from loader.formats.transcoding import TableSample
from shared.platform.errors import FileFormatError

# Enough for the header and the rows that show where it is.
LOOKED_AT_BYTES = 2**16


def list_headers(sample: bytes, *, is_whole: bool, ranges: ByteRanges | None = None) -> dict[str, str]:
    """Hash the header as each delimiter cuts it: delimiter → hash. ranges: the file, where more of it can be read.

    Depends on the bytes alone, so that options given for one file are found again for the next.
    """
    if not sample:
        return {}
    try:
        if sample.startswith(PARQUET_MAGIC):
            return _hash_parquet(WholeFile(sample) if is_whole else ranges)
        return _hash_text(sample, is_whole=is_whole)
    except (FileFormatError, BytesMissingError):
        return {}


def _hash_text(sample: bytes, *, is_whole: bool) -> dict[str, str]:
    options = LoadOptions()
    found: dict[str, str] = {}
    for layout in _list_layouts(read_text(sample, options, is_whole=is_whole).samples, options):
        delimiter = layout.dialect.delimiter
        if layout.dialect.has_header:
            found.setdefault(delimiter, _hash(layout.columns, delimiter))
        elif len(layout.table):
            found.setdefault(delimiter, _hash(_list_kinds(layout), f"kinds {delimiter}"))
    return found


def _list_layouts(samples: Sequence[TableSample], options: LoadOptions) -> Iterator[Layout]:
    for sample in samples:
        if sample.table:
            yield from read_table(sample, options)
        else:
            text = sample.text
            yield from read_layouts(text[:LOOKED_AT_BYTES], options, is_whole=sample.is_whole and len(text) <= LOOKED_AT_BYTES)


def _hash_parquet(ranges: ByteRanges | None) -> dict[str, str]:
    """Hash a Parquet file's columns, under the delimiter that its plan has for want of one."""
    if ranges is None:
        return {}
    schema = read_layout(pack_footer(read_footer(ranges))).schema
    return {Dialect.delimiter: _hash(tuple(f"{field.name} {field.type}" for field in schema), "types")}


def _list_kinds(layout: Layout) -> tuple[str, ...]:
    decimal = detect_decimal(layout)
    return tuple(_name_kind(Profile(layout.text(column), decimal=decimal)) for column in range(layout.dialect.field_count))


def _name_kind(profile: Profile) -> str:
    shares = {"point": profile.point, "line": profile.route, "time": profile.time, "number": profile.number}
    kind, share = max(shares.items(), key=lambda item: item[1])
    return kind if share > MOSTLY else "text"


def _hash(columns: tuple[str, ...], form: str) -> str:
    """Hash columns without regard to case and blanks."""
    names = [" ".join(name.split()).casefold() for name in columns]
    return hashlib.blake2b("\x1f".join([form, *names]).encode(), digest_size=16).hexdigest()
