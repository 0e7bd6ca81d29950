"""Encoding: how bytes are decoded, from a sample."""

import codecs
import re

from loader.formats.text.charset import rank_charsets
from shared.platform.errors import FileFormatError

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
UNICODE = ("utf-8", "utf-16-le", "utf-16-be")
# NULs in a row count once: they are a hole in a text file, which rejects its row.
_CONTROL = re.compile(rb"\x00+|[\x01-\x08\x0e-\x1f\x7f]")
# ISO-2022-JP is ASCII with escapes to Japanese and back.
_JIS_ESCAPE = re.compile(rb"\x1b\$[@B]")
LETTERS = re.compile("[^\x00-\x7f\ufffd]")
_CONTROL_SHARE = 0.02


def strip_bom(sample: bytes) -> bytes:
    """Leave out a byte order mark."""
    return next((sample[len(bom) :] for bom, _ in BOMS if sample.startswith(bom)), sample)


def detect_encoding(sample: bytes, *, is_whole: bool) -> str:
    """Return the encoding: by byte order mark, by zero bytes (UTF-16), by being valid UTF-8, else by rank_charsets.

    Raises: FileFormatError for bytes that are no text.
    """
    for bom, name in BOMS:
        if sample.startswith(bom):
            return name
    wide = _detect_utf16(sample[:65_536])
    if wide:
        return wide
    head = sample[:65_536]
    if len(_CONTROL.findall(head)) > max(8, _CONTROL_SHARE * len(head)):
        raise FileFormatError("This is binary data, not a table of trips. Export it as CSV or Parquet.", code="not_a_table")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=is_whole)
    except UnicodeDecodeError:
        text = sample.decode("utf-8", "replace")
        letters = len(LETTERS.findall(text))
        # A few damaged characters do not make it another encoding.
        return "utf-8" if letters > text.count("\ufffd") else rank_charsets(sample)[0]
    return "iso2022_jp" if _JIS_ESCAPE.search(head) else "utf-8"


def _detect_utf16(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def to_utf8(sample: bytes, encoding: str, *, is_whole: bool) -> bytes:
    """Return a sample as UTF-8 without a character cut in half at its end; invalid bytes become U+FFFD."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample, final=is_whole).encode("utf-8", "replace")
