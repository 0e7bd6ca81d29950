"""Codecs: which encodings a file may be in, and which can be cut before they are decoded."""

import codecs
from functools import lru_cache
from typing import Final

# Codecs of Python that are no encodings of files.
_NO_FILE: Final = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem", "utf-7"))


def is_codec(name: str) -> bool:
    """Return whether Python can read text files in an encoding of that name."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return found._is_text_encoding and found.name not in _NO_FILE


@lru_cache(maxsize=256)
def is_single_byte(name: str) -> bool:
    """Return whether each byte is one character and the first 128 are ASCII, so that a file can be cut before it is decoded.

    Codecs with escapes (ISO-2022) read every byte alone as ASCII, and are none.
    """
    if codecs.lookup(name).name.startswith(("utf", "iso2022", "hz")):
        return False
    every = bytes(range(256))
    text = every.decode(name, "replace")
    # Backwards, too: in codecs of more bytes, some pair of them is one character.
    return len(text) == len(every[::-1].decode(name, "replace")) == 256 and text[:128] == every[:128].decode("ascii")


def is_cut_as_stored(name: str) -> bool:
    """Return whether records are cut from the stored bytes, and decoded afterwards; otherwise the whole stream is decoded first.

    In GB18030, Shift-JIS and Big5 a character's second byte may be that of a bar or a backslash.
    """
    return name == "utf-8" or is_single_byte(name)
