"""Quoted fields: where they open and close.

Almost every file quotes cleanly: quotes open after a delimiter or line end and close before one. Then quotes pair up in
order, and a few comparisons over the quotes' offsets prove it. Where the proof fails, the quotes are read one by one.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loader.formats.model.dialect import Dialect

Offsets = npt.NDArray[np.int64]
SPACE = 32
EMPTY: Offsets = np.empty(0, np.int64)


@dataclass(frozen=True)
class Quoted:
    """Quoted parts: offsets of opening and closing quotes (a doubled quote makes two parts).

    unclosed: quotes that open and don't close within the limit. open_at: an open quote that more data may close.
    is_clean: every quoted field is one whole field.
    """

    opens: Offsets
    closes: Offsets
    unclosed: Offsets
    open_at: int | None = None
    is_clean: bool = True
    quote: str = '"'
    has_spaces: bool = False

    def covers(self, offsets: Offsets) -> npt.NDArray[np.bool_]:
        """Return which offsets lie inside quotes."""
        if len(self.opens) == 0:
            return np.zeros(len(offsets), np.bool_)
        index = np.searchsorted(self.opens, offsets, side="right") - 1
        return (index >= 0) & (offsets < self.closes[np.maximum(index, 0)])


def double_escaped(data: bytes, dialect: Dialect) -> bytes:
    """Write `\\"` as `""`, where the file escapes quotes so: as many bytes, and what comes after knows one way only."""
    escape, quote = dialect.escape.encode(), dialect.quote.encode()
    if not escape or escape + quote not in data:
        return data
    if escape * 2 not in data:
        return data.replace(escape + quote, quote * 2)
    return re.sub(rb"\\(.)", lambda found: quote * 2 if found[1] == quote else found[0], data, flags=re.DOTALL)


def find_quoted(data: bytes, buffer: npt.NDArray[np.uint8], dialect: Dialect, *, begin: int, limit: int, is_end: bool) -> Quoted:
    """Find the quoted parts from begin on."""
    quote = dialect.quote.encode()
    if not quote or data.find(quote, begin) < 0:
        return Quoted(EMPTY, EMPTY, EMPTY)
    places = np.flatnonzero(buffer == quote[0])
    places = places[places >= begin]
    clean = _pair_clean(buffer, places, dialect, begin=begin, limit=limit, is_end=is_end)
    found = clean or _read_quotes(data, dialect, begin=begin, limit=limit, is_end=is_end)
    return replace(found, quote=dialect.quote, has_spaces=dialect.has_spaces)


def _pair_clean(
    buffer: npt.NDArray[np.uint8], places: Offsets, dialect: Dialect, *, begin: int, limit: int, is_end: bool
) -> Quoted | None:
    """Pair the quotes in order and prove it right, or give up."""
    last = int(places[-1]) if len(places) % 2 else None
    if last is not None and is_end:
        return None
    size = len(buffer)
    opens, closes = places[0::2], places[1::2]
    edge = np.zeros(256, np.bool_)
    edge[[ord(dialect.delimiter), ord(dialect.quote), 10, 13]] = True
    # A quote beside a quote is the second of a doubled one: the pair before it ends where this one begins.
    before = edge[buffer[np.maximum(opens - 1, 0)]] | (opens == begin)
    if dialect.has_spaces:
        is_spaced = (buffer[np.maximum(opens - 1, 0)] == SPACE) & (opens > begin + 1)
        before |= is_spaced & (buffer[np.maximum(opens - 2, 0)] == ord(dialect.delimiter))
    after = edge[buffer[np.minimum(closes + 1, size - 1)]] | (closes == size - 1)
    if not (before.all() and after.all()):
        return None
    ends = closes if last is None else np.append(closes, size - 1)
    is_joined = opens[1:] == closes[: len(opens) - 1] + 1
    heads = opens
    if is_joined.any():
        first = np.flatnonzero(np.append(True, ~is_joined))
        heads, ends = opens[first], ends[np.append(first[1:] - 1, len(opens) - 1)]
    if int((ends - heads).max()) > limit:
        return None
    return Quoted(opens[: len(closes)], closes, EMPTY, None if last is None else int(heads[-1]))


def _read_quotes(data: bytes, dialect: Dialect, *, begin: int, limit: int, is_end: bool) -> Quoted:
    """Read quotes one by one, as the csv module does."""
    quote = dialect.quote.encode()
    starters = (dialect.delimiter.encode(), b"\n", b"\r")
    spaced = starters[0] + b" "
    opens: list[int] = []
    closes: list[int] = []
    unclosed: list[int] = []
    is_clean = True
    at = data.find(quote, begin)
    while at >= 0:
        is_spaced = dialect.has_spaces and data[max(at - 2, begin) : at] == spaced
        if at != begin and data[at - 1 : at] not in starters and not is_spaced:
            at = data.find(quote, at + 1)  # text of an unquoted field
            continue
        close = _find_close(data, quote, at, limit=limit)
        if close is None:
            if not is_end and len(data) - at <= limit + 1:
                return Quoted(np.array(opens, np.int64), np.array(closes, np.int64), np.array(unclosed, np.int64), at, False)
            unclosed.append(at)
            at = data.find(quote, _next_line(data, at))
            continue
        opens.append(at)
        closes.append(close)
        after = data[close + 1 : close + 2]
        is_clean = is_clean and (not after or after in starters)
        at = data.find(quote, close + 1)
    return Quoted(np.array(opens, np.int64), np.array(closes, np.int64), np.array(unclosed, np.int64), None, is_clean)


def _find_close(data: bytes, quote: bytes, at: int, *, limit: int) -> int | None:
    end = min(len(data), at + limit + 1)
    close = data.find(quote, at + 1, end)
    while close >= 0 and data[close + 1 : close + 2] == quote:
        close = data.find(quote, close + 2, end)
    return close if close >= 0 else None


def _next_line(data: bytes, at: int) -> int:
    ends = [place for place in (data.find(b"\n", at), data.find(b"\r", at)) if place >= 0]
    return min(ends) if ends else len(data)
