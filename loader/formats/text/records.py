"""Records: where lines, records and fields begin and end in a batch of bytes, without a Python step per row.

The rules are those of RFC 4180 read leniently, as Python's csv module reads: a quote opens a quoted field only at the
field's start; elsewhere it is text. Inside a quoted field two quotes are one, delimiters and line ends are text. Text
after a closing quote belongs to the field. A line ends with LF, CRLF or CR, mixed as they come. A line that is empty or only
spaces is a line but no record. A quoted field that does not close within the limit, or at all, is a reject of one line and
reading resumes on the next line, so one lost quote can't swallow the file.

    records = split_records(data, dialect, limit=2**20)
    records.starts, records.ends, records.lines      # per record; ends without the line end
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loader.formats.model.dialect import Dialect
from loader.formats.text.kernels import find_both
from loader.formats.text.quotes import Quoted, double_escaped, find_quoted

Offsets = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LF, CR, SPACE, TAB = 10, 13, 32, 9
UTF8_BOM = b"\xef\xbb\xbf"
_NONE: Offsets = np.empty(0, np.int64)


@dataclass(frozen=True)
class Lines:
    """Line ends: breaks[i] is where line i's end begins, nexts[i] where the next line begins."""

    breaks: Offsets
    nexts: Offsets


@dataclass(frozen=True)
class Records:
    """Records of a batch.

    Shape: one entry per record in starts, ends, lines (first physical line from 1), is_unclosed; separators holds every
    delimiter outside quotes, over all records. boundaries are the places where a batch may end, line_starts where lines after
    the first begin.
    """

    data: bytes
    buffer: npt.NDArray[np.uint8]
    starts: Offsets
    ends: Offsets
    lines: Offsets
    separators: Offsets
    is_unclosed: Mask
    quoted: Quoted
    boundaries: Offsets
    line_starts: Offsets
    consumed: int

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, index: int) -> bytes:
        """Return a record's bytes as in the file, without the line end."""
        return self.data[self.starts[index] : self.ends[index]]


def find_lines(data: bytes, buffer: npt.NDArray[np.uint8], line_feeds: Offsets) -> Lines:
    """Find the line ends LF, CRLF and CR. line_feeds: offsets of LF."""
    if b"\r" not in data:
        return Lines(line_feeds, line_feeds + 1)
    returns = np.flatnonzero(buffer == CR)
    following = buffer[np.minimum(returns + 1, len(buffer) - 1)]
    lone = returns[following != LF]
    breaks = line_feeds - (buffer[np.maximum(line_feeds - 1, 0)] == CR)
    if len(lone) == 0:
        return Lines(breaks, line_feeds + 1)
    breaks, nexts = np.concatenate((breaks, lone)), np.concatenate((line_feeds + 1, lone + 1))
    order = np.argsort(nexts)
    return Lines(breaks[order], nexts[order])


def split_records(
    data: bytes, dialect: Dialect, *, limit: int, header_lines: int = 0, is_end: bool = True, has_fields: bool = True
) -> Records:
    """Split a batch into records.

    header_lines are skipped, a byte order mark too when there are any or is_first. is_end says that nothing follows: a last
    line without a line end is a record, an open quote is unclosed. Without it, both are left over from `consumed` on.
    Without has_fields, separators are not looked for.
    """
    data = double_escaped(data, dialect)
    buffer = np.frombuffer(data, np.uint8)
    line_feeds, delimiters = (
        find_both(buffer, LF, ord(dialect.delimiter)) if has_fields else (np.flatnonzero(buffer == LF), _NONE)
    )
    lines = find_lines(data, buffer, line_feeds)
    if not is_end and data.endswith(b"\r"):
        lines = Lines(lines.breaks[:-1], lines.nexts[:-1])  # the LF of a CRLF may follow
    begin = _skip_header(data, lines, header_lines)
    quoted = find_quoted(data, buffer, dialect, begin=begin, limit=limit, is_end=is_end)
    outside = ~quoted.covers(lines.breaks) & (lines.nexts > begin)
    ends, nexts = lines.breaks[outside], lines.nexts[outside]
    if quoted.open_at is not None:
        keep = ends < quoted.open_at
        ends, nexts = ends[keep], nexts[keep]
    starts = np.concatenate(([begin], nexts[:-1])) if len(ends) else _NONE
    consumed = int(nexts[-1]) if len(nexts) else begin
    if is_end and consumed < len(data):
        starts, ends = np.append(starts, consumed), np.append(ends, len(data))
        consumed = len(data)
    kept = ~_is_blank(buffer, dialect, starts=starts, ends=ends)
    starts, ends = starts[kept], ends[kept]
    separators = delimiters[np.searchsorted(delimiters, begin) : np.searchsorted(delimiters, consumed)]
    unclosed = np.zeros(len(starts), np.bool_)
    unclosed[np.searchsorted(starts, quoted.unclosed[quoted.unclosed < consumed], side="right") - 1] = True
    return Records(
        data=data,
        buffer=buffer,
        starts=starts,
        ends=ends,
        lines=_number_lines(lines, starts),
        separators=separators[~quoted.covers(separators)] if len(quoted.opens) else separators,
        is_unclosed=unclosed,
        quoted=quoted,
        boundaries=nexts,
        line_starts=lines.nexts,
        consumed=consumed,
    )


def _find_separators(buffer: npt.NDArray[np.uint8], dialect: Dialect, *, has_fields: bool) -> tuple[Offsets, Offsets]:
    return find_both(buffer, LF, ord(dialect.delimiter)) if has_fields else (np.flatnonzero(buffer == LF), _NONE)


def _number_lines(lines: Lines, starts: Offsets) -> Offsets:
    """Return the line number, from 1, that each record begins on."""
    skipped = len(lines.nexts) - len(starts)
    line_starts = np.append(0, lines.nexts[:-1])[max(skipped, 0) :]
    if skipped >= 0 and np.array_equal(starts, line_starts):
        return np.arange(skipped + 1, len(lines.nexts) + 1)  # a record a line: the usual file
    return np.searchsorted(lines.nexts, starts, side="right") + 1


def _skip_header(data: bytes, lines: Lines, header_lines: int) -> int:
    if header_lines == 0:
        return len(UTF8_BOM) if data.startswith(UTF8_BOM) else 0
    return int(lines.nexts[header_lines - 1]) if len(lines.nexts) >= header_lines else len(data)


def _is_blank(buffer: npt.NDArray[np.uint8], dialect: Dialect, *, starts: Offsets, ends: Offsets) -> Mask:
    """Return which lines are empty or consist of blanks."""
    blank: Mask = starts == ends
    heads = buffer[np.minimum(starts, len(buffer) - 1)] if len(starts) else buffer[:0]
    candidates = np.flatnonzero(~blank & ((heads == SPACE) | (heads == TAB)))
    if len(candidates):
        is_space = buffer == SPACE if dialect.delimiter == "\t" else (buffer == SPACE) | (buffer == TAB)
        texts = np.append(np.flatnonzero(~is_space), len(buffer))
        blank[candidates] = texts[np.searchsorted(texts, starts[candidates])] >= ends[candidates]
    return blank
