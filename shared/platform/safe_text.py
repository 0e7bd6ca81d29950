"""Text of files and callers made safe for terminals, log lines and spreadsheets.

>>> escape_controls("a\\x1b[31mb")
'a\\\\x1b[31mb'

Pages and JSON need nothing of this: the one escapes markup, the other escapes by itself.
"""

import json
import re
import unicodedata
from typing import Final

# Letters of Persian, of Indian scripts and of emoji are joined and parted by these two; they move no cursor and hide nothing.
_JOINERS: Final = frozenset("\u200c\u200d")
# Cc: C0 and C1 controls, DEL. Cf: direction marks (CVE-2021-42574), zero width, tags. Cs: half of a pair. Zl, Zp: line ends.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# How Python carries a byte of a file name that is no UTF-8.
_UNDECODED: Final = range(0xDC80, 0xDD00)
_ELLIPSIS: Final = "…"
# Text that begins so is run as a formula by spreadsheets, also in full width; a number is not.
# Source: OWASP ASVS 5.0 1.2.10, OWASP CSV Injection, CWE-1236.
_FORMULA: Final = re.compile(r"[=@\t\r\n\x00\uff1d\uff20\uff0b\uff0d]|[+-](?![\d.,]+\Z)")


def escape_controls(text: str, *, kept: str = "") -> str:
    """Write what a terminal would obey, or what doesn't show, as a visible escape: `\\x1b`, `\\u202e`. kept: signs that stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign if sign in kept or not _is_unsafe(sign) else _escape(sign) for sign in text)


def escape_json(text: str) -> str:
    """JSON with its own escapes for what a terminal would obey: json.dumps leaves C1 controls and direction marks as they are."""
    return "".join(json.dumps(sign)[1:-1] if sign != "\n" and _is_unsafe(sign) else sign for sign in text)


def shorten(text: str, limit: int) -> str:
    """The text, cut to so many characters with an ellipsis at the end."""
    return text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS


def guard_formula(value: object) -> object:
    """The value of a CSV cell with a quote before text that a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _is_unsafe(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSAFE and sign not in _JOINERS


def _escape(sign: str) -> str:
    number = ord(sign)
    if sign in _NAMED:
        return _NAMED[sign]
    if number in _UNDECODED:
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
