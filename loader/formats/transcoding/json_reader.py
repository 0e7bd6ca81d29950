"""JSON reader: values of a JSON text one after the other, while the text arrives.

    reader = JsonReader(pieces)
    reader.enter(("data", "trips"))               # at the first element of that array
    for value in reader.iterate_array(): ...

Numbers come as the text they were written with: nothing is rounded, and a number of a million digits costs nothing.
Memory: one piece, or the value at hand where that is longer; a value has at most VALUE_LIMIT characters.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from shared.platform.errors import FileFormatError

# A value this long is no record of any table: the limit of a CSV record, too.
VALUE_LIMIT: Final = 32 * 2**20
# Objects around the array of records. Real files have up to three (`result.data.records`).
PATH_LIMIT: Final = 8
DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_BLANK: Final = re.compile("[ \t\r\n\x1e\ufeff]*")  # RFC 8142 puts a record separator before each text


class IncompleteError(FileFormatError):
    """The text ended inside a value."""


class JsonReader:
    """A place in a JSON text. at_end: no more pieces follow."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._text = ""
        self._at = 0
        self._before = 0  # characters of the file before _text
        self._is_ended = False

    @property
    def position(self) -> int:
        """Return how many characters of the file lie before."""
        return self._before + self._at

    def peek(self) -> str:
        """Return the next character that is no blank, without taking it; nothing at the end."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, expected: str) -> bool:
        """Take the next character if it is the one expected."""
        if self.peek() != expected:
            return False
        self._at += 1
        return True

    def decode(self) -> Any:  # noqa: ANN401 - any JSON value
        """Take the next value. Raises: FileFormatError where there is none."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise self.make_error("is nested too deep") from None
            except ValueError:
                end = -1
            # What ends with the text may go on in the next piece, as a number does.
            if 0 <= end < len(self._text) or (self._is_ended and end >= 0):
                self._at = end
                return value
            if len(self._text) - self._at > VALUE_LIMIT:
                raise FileFormatError(
                    f"A JSON value begins at character {self.position + 1:,} and does not end within {VALUE_LIMIT // 2**20} MiB.",
                    code="endless_record",
                )
            if not self._fill():
                if end >= 0:
                    continue
                raise self.make_error("ends in the middle of a value or is no valid JSON")

    def iterate_array(self) -> Iterator[Any]:
        """Take an array element by element. Raises: FileFormatError where it breaks off."""
        if not self.take("["):
            raise self.make_error("is no array")
        if self.take("]"):
            return
        while True:
            yield self.decode()
            if self.take("]"):
                return
            if not self.take(","):
                raise self.make_error("breaks off")

    def iterate_keys(self) -> Iterator[str]:
        """Take an object key by key; the caller takes or skips each value. Raises: FileFormatError."""
        if not self.take("{"):
            raise self.make_error("is no object")
        if self.take("}"):
            return
        while True:
            key = self.decode()
            if not isinstance(key, str) or not self.take(":"):
                raise self.make_error("breaks off")
            yield key
            if self.take("}"):
                return
            if not self.take(","):
                raise self.make_error("breaks off")

    def skip(self, depth: int = 0) -> None:
        """Take the next value and forget it; a long array is taken element by element."""
        opening = self.peek()
        if depth < PATH_LIMIT and opening == "[":
            for _ in self.iterate_array():
                pass
        elif depth < PATH_LIMIT and opening == "{":
            for _ in self.iterate_keys():
                self.skip(depth + 1)
        else:
            self.decode()

    def enter(self, path: tuple[str, ...]) -> None:
        """Go to the value at a path of keys. Raises: FileFormatError where there is none."""
        for wanted in path:
            for key in self.iterate_keys():
                if key == wanted:
                    break
                self.skip()
            else:
                raise self.make_error(f"has no {'.'.join(path)}")

    def make_error(self, what: str) -> FileFormatError:
        """Make the error for a text that is not as it should be, here."""
        return IncompleteError(f"The JSON {what} (at character {self.position + 1:,}). Export it again.", code="damaged_json")

    def _fill(self) -> bool:
        """Take more text, at least as much as waits: a long value is then looked at a few times only. False at the end."""
        parts, wanted = [self._text[self._at :]], max(1, len(self._text) - self._at)
        size = 0
        while size < wanted and not self._is_ended:
            piece = next(self._pieces, None)
            self._is_ended = piece is None
            if piece:
                parts.append(piece)
                size += len(piece)
        self._before += self._at
        self._text, self._at = "".join(parts), 0
        return size > 0
