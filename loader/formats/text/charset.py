"""Character sets: which codec text that is not UTF-8 was written with.

charset-normalizer ranks the codecs; a few names of regions tell it little, and two codecs may both give plausible words (Plzeň
and Plzeò). So a note always names the codec, and a person is asked where names of regions or datasources depend on it: where two
codecs give different words, or the likeliest is another than Windows-1252.
"""

import re
import unicodedata
from typing import Any, Final

from charset_normalizer import from_bytes

from loader.formats.model.errors import make_choice
from shared.platform.errors import FileFormatError

DEFAULT: Final = "windows-1252"
# Bytes of lines beyond ASCII that are looked at; more make the ranking slower and no better.
_LOOKED_AT_BYTES: Final = 16_384
# Of several codecs that leave as little disorder, the codec that public data uses more is taken.
_LIKE: Final = 0.05
_COMMON: Final = (
    *(
        "windows-1252",
        "windows-1250",
        "windows-1251",
        "gb18030",
        "cp949",
        "cp932",
        "big5",
        "euc_jp",
        "windows-1253",
        "windows-1254",
    ),
    *(
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "koi8-r",
        "iso8859-2",
        "iso8859-15",
        "cp874",
        "mac-roman",
        "cp852",
        "cp850",
        "cp437",
    ),
)
# Python's names of codecs that have the same characters, or more, as one that is better known.
_BETTER_KNOWN: Final[dict[str, str]] = {
    **{f"cp125{number}": f"windows-125{number}" for number in range(9)},
    **dict.fromkeys(("gb2312", "gbk", "hz"), "gb18030"),
    **dict.fromkeys(("euc_kr", "johab"), "cp949"),
    **dict.fromkeys(("shift_jis", "shift_jis_2004", "shift_jisx0213"), "cp932"),
    **dict.fromkeys(("euc_jis_2004", "euc_jisx0213"), "euc_jp"),
    **dict.fromkeys(("big5hkscs", "cp950"), "big5"),
    **dict.fromkeys(("latin_1", "ascii", "iso8859_1"), "windows-1252"),
    **{"koi8_r": "koi8-r", "mac_roman": "mac-roman", "iso8859_2": "iso8859-2", "iso8859_15": "iso8859-15"},
}
_ALWAYS_TRIED: Final = ("windows-1252", "windows-1250", "windows-1251", "windows-1254")
_LINE: Final = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SHOWN_NAMES: Final = 3
_MOST_CHOICES: Final = 6


def rank_charsets(data: bytes) -> list[str]:
    """Return the codecs that can decode bytes that are not UTF-8, the likeliest first."""
    lines = b"\n".join(_LINE.findall(data))[:_LOOKED_AT_BYTES]
    matches = list(from_bytes(lines))
    found = {
        _BETTER_KNOWN.get(name, name): match.chaos
        for match in reversed(matches)
        for name in reversed(match.could_be_from_charset)
    }
    if not found:
        return [DEFAULT]
    least = min(found.values())

    def rank(name: str) -> tuple[bool, int, float]:
        place = _COMMON.index(name) if name in _COMMON else len(_COMMON)
        return found[name] > least + _LIKE, place, found[name]

    return sorted(found, key=rank)


def ask_for_charset(names: list[str], encoding: str, sample: bytes) -> None:
    """Ask which encoding names of regions and datasources were written in, where it isn't sure. names: as read with encoding.

    Raises: FileFormatError with the encodings to choose from and what each makes of the names.
    """
    foreign = [name for name in names if not name.isascii() and "\ufffd" not in name][:200]
    if not foreign:
        return
    readings: dict[tuple[str, ...], str] = {}
    others = [codec for codec in rank_charsets(sample) if codec in _COMMON][:_MOST_CHOICES]
    for codec in dict.fromkeys([encoding, *others, *_ALWAYS_TRIED]):
        read = _read_again(foreign, encoding, codec)
        if read is not None and (codec == encoding or all(map(_is_plausible, read))):
            readings.setdefault(read, codec)
    if len(readings) < 2 and encoding == DEFAULT:
        return
    shown = list(readings.items())[:_MOST_CHOICES]
    heard = "; ".join(f"{', '.join(read[:_SHOWN_NAMES])} in {codec}" for read, codec in shown[:2])
    statement = f"The file is not UTF-8, and how the names in it read depends on the encoding: {heard}."
    raise FileFormatError(
        f"{statement} Say which: encoding {shown[0][1]} (--encoding {shown[0][1]}).",
        statement=statement,
        code="ambiguous_encoding",
        parameter="encoding",
        choices=[_make_choice(read, codec) for read, codec in shown],
    )


def _make_choice(read: tuple[str, ...], codec: str) -> dict[str, Any]:
    return make_choice(f"{', '.join(read[:_SHOWN_NAMES])} ({codec})", encoding=codec)


def _read_again(names: list[str], written: str, codec: str) -> tuple[str, ...] | None:
    try:
        return tuple(name.encode(written).decode(codec) for name in names)
    except UnicodeError:
        return None


def _is_plausible(name: str) -> bool:
    """Return whether a name's signs beyond ASCII are letters, and each word is of one script, and has no capital inside."""
    others = [letter for letter in name if not letter.isascii()]
    if not all(letter.isalpha() or unicodedata.combining(letter) for letter in others):
        return False
    words = _WORD.findall(name)
    has_capital_inside = any(not word.isupper() and any(letter.isupper() for letter in word[1:]) for word in words)
    return not has_capital_inside and all(
        len({unicodedata.name(letter, "?").split()[0] for letter in word}) == 1 for word in words
    )
