"""Headers: files of the same kind are known by the names of their columns, however a letter or a blank differs."""

import hashlib

from loader.formats.detect import read_text
from loader.formats.dialect import read_layouts
from loader.formats.parquet import MAGIC as PARQUET_MAGIC
from loader.formats.plan import LoadOptions
from shared.errors import FileFormatError

# Enough for the header and the rows that show where it is.
LOOKED_AT_BYTES = 2**16


def list_headers(sample: bytes, *, is_whole: bool) -> dict[str, str]:
    """Hash the header as each delimiter cuts it: delimiter → hash. None for files without a header, and for Parquet.

    Depends on the bytes alone, so that what was said of one file is found again for the next.
    """
    if not sample or sample.startswith(PARQUET_MAGIC):
        return {}
    options = LoadOptions()
    try:
        text, _, is_whole = read_text(sample, options, is_whole=is_whole)
    except FileFormatError:
        return {}
    found: dict[str, str] = {}
    for layout in read_layouts(text[:LOOKED_AT_BYTES], options, is_whole=is_whole and len(text) <= LOOKED_AT_BYTES):
        if layout.dialect.has_header:
            found.setdefault(layout.dialect.delimiter, hash_header(layout.columns, layout.dialect.delimiter))
    return found


def hash_header(columns: tuple[str, ...], delimiter: str) -> str:
    """Hash column names without regard to case and blanks."""
    names = [" ".join(name.split()).casefold() for name in columns]
    return hashlib.blake2b("\x1f".join([delimiter, *names]).encode(), digest_size=16).hexdigest()
