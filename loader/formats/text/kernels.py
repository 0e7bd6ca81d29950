"""Kernels: the loops over a batch's bytes that decide how fast a file loads, compiled to machine code by numba.

Each parses fields in place, between their start and end offsets in the buffer, and only in the forms that nearly all files have.
For other fields it returns NaN or MISSING, and the complete parsers in numbers.py, points.py and times/ read them. A kernel may
refuse any field, but the values that it returns equal theirs. Kernels release the interpreter lock, so batches parse in parallel.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from loader.formats.model.time_format import MISSING
from loader.formats.text.simd import LANES, Bytes, compile_part, count_bits, find_between, first_bit, load_word, widen
from shared.kernels.compiler import compile_kernel

Offsets = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_NAMES: Final = 16_384
"""Stations of the largest bike shares are 3,000, stops of a large city 15,000; slots of 256 KiB stay in the cache."""

_MINUS, _DASH, _POINT, _ZERO, _NINE, _SPACE, _OPEN, _CLOSE, _COLON, _T = (ord(character) for character in "--.09 ():T")
_LF, _CR = 10, 13
_ONE: Final = np.uint64(1)
_FIELD: Final = 60  # bytes of a field with one or two numbers of _DIGITS, at most
_LOW: Final = np.uint64(0x0F0F0F0F0F0F0F0F)  # a digit less its "0"
_PAIRS: Final = np.uint64(0x000000FF000000FF)
_BLOCK: Final = 128  # its line ends fit a byte
_WORD: Final = np.uint64(int.from_bytes(b"POINT".rjust(8, b"\0"), "little"))
_DIGITS: Final = 18  # as many fit into 63 bits, whatever they are
_POWERS: Final = 10.0 ** np.arange(23)  # exact in float64
_TENS: Final = np.uint64(10) ** np.arange(_DIGITS + 1, dtype=np.uint64)
_SPLIT: Final = 2.0**27 + 1
_SLOTS: Final = 4 * MOST_NAMES
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio
_MONTH_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@compile_part
def _divide(digits: np.int64, places: int) -> float:
    """digits ÷ 10 ** places, rounded once: the quotient's remainder is worked out in twice the precision (Dekker 1971)."""
    high = np.float64(digits)
    low = np.float64(digits - np.int64(high))
    power = _POWERS[places]
    quotient = high / power
    left = quotient * _SPLIT
    left_high = left - (left - quotient)
    left_low = quotient - left_high
    right = power * _SPLIT
    right_high = right - (right - power)
    right_low = power - right_high
    product = quotient * power
    error = ((left_high * right_high - product) + left_high * right_low + left_low * right_high) + left_low * right_low
    return float(quotient + (((high - product) - error) + low) / power)


@compile_part
def _join(digits: np.uint64) -> np.uint64:
    """Join eight digits, the first in the lowest byte, to one number: to pairs first, then these by two multiplications.

    Source: the reading of eight digits in fast_float (Lemire 2021), after Johnny Lee and Wojciech Muła.
    """
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    first = (pairs & _PAIRS) * np.uint64(100 + (1_000_000 << 32))
    second = ((pairs >> np.uint64(16)) & _PAIRS) * np.uint64(1 + (10_000 << 32))
    return np.uint64((first + second) >> np.uint64(32))


@compile_part
def _read_digits(buffer: Bytes, end: int, count: int) -> np.uint64:
    """Return the number that the count digits (one to eight) before an offset make."""
    return _join(load_word(buffer, end, count) & _LOW)


@compile_part
def _find_delimiters(buffer: Bytes, start: int, end: int) -> np.uint64:
    """Return a bit for each byte from start on that is no digit, as find_between; the field's end, at most _FIELD on, is set."""
    return np.uint64(~find_between(buffer, start, _ZERO, _NINE) | (_ONE << np.uint64(end - start)))


@compile_part
def _skip_delimiter(delimiter_bits: np.uint64, is_skipped: bool) -> np.uint64:
    """Clear the lowest bit if is_skipped."""
    return np.uint64(delimiter_bits & (delimiter_bits - np.uint64(is_skipped)))


@compile_part
def _read_number(
    buffer: Bytes, start: int, bounds: tuple[int, int, int], delimiter_bits: np.uint64
) -> tuple[float, int, np.uint64]:
    """Return the number at an offset, such as -12.5, the offset where it ends, and the delimiter bits from there on.

    The number is NaN where something else is written. bounds: the offset of delimiter bit 0, the field's end, and the decimal
    mark. The digits are joined here: a function for them, with branches inside, doubles the time of the whole kernel.
    """
    base, end, point = bounds
    is_negative = buffer[start] == _MINUS
    first = start + is_negative
    delimiter_bits = _skip_delimiter(delimiter_bits, is_negative)
    stop = base + first_bit(delimiter_bits)
    has_point = stop < end and buffer[stop] == point
    delimiter_bits = _skip_delimiter(delimiter_bits, has_point)
    place = base + first_bit(delimiter_bits)
    whole, fraction = stop - first, place - stop - has_point
    if (whole < 1) | (fraction < has_point) | (whole + fraction > _DIGITS):
        return np.nan, place, delimiter_bits
    number = np.uint64(0)
    for read in range(0, fraction, 8):
        number += _TENS[read] * _read_digits(buffer, place - read, min(fraction - read, 8))
    for read in range(0, whole, 8):
        number += _TENS[fraction + read] * _read_digits(buffer, stop - read, min(whole - read, 8))
    value = _divide(np.int64(number), fraction)
    return (-value if is_negative else value), place, delimiter_bits


@compile_kernel
def _read_numbers(buffer: Bytes, starts: Offsets, ends: Offsets, point: int) -> Floats:
    values = np.full(len(starts), np.nan)
    for row in range(len(starts)):
        start, end = starts[row], ends[row]
        if start < end <= start + _FIELD:
            value, place, _ = _read_number(buffer, start, (start, end, point), _find_delimiters(buffer, start, end))
            if place == end:
                values[row] = value
    return values


def read_numbers(buffer: Bytes, starts: Offsets, ends: Offsets, point: int) -> Floats:
    """Parse fields that are one plain number. Shape: one value per field, NaN where it is something else."""
    return _read_numbers(widen(buffer), starts, ends, point)


@compile_kernel
def _read_points(buffer: Bytes, starts: Offsets, ends: Offsets) -> tuple[Floats, Floats]:
    first, second = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    for row in range(len(starts)):
        place, end = starts[row], ends[row] - 1
        if end - place < 9 or end - place > _FIELD or buffer[end] != _CLOSE:
            continue
        start = place + 6 + (buffer[place + 5] == _SPACE)
        if (load_word(buffer, place + 5, 5) != _WORD) | (buffer[start - 1] != _OPEN):
            continue
        bounds = start, end, _POINT
        x, place, delimiter_bits = _read_number(buffer, start, bounds, _find_delimiters(buffer, start, end))
        if place >= end or buffer[place] != _SPACE:
            continue
        y, place, _ = _read_number(buffer, place + 1, bounds, _skip_delimiter(delimiter_bits, is_skipped=True))
        if place == end and not np.isnan(x) and not np.isnan(y):
            first[row], second[row] = x, y
    return first, second


def read_points(buffer: Bytes, starts: Offsets, ends: Offsets) -> tuple[Floats, Floats]:
    """Parse fields written `POINT (x y)` or `POINT(x y)`. Shape: one value per field, NaN where it is something else."""
    return _read_points(widen(buffer), starts, ends)


@compile_kernel
def _read_whole(buffer: Bytes, start: int, count: int) -> int:
    """Return the whole number of count digits; far below zero where a byte is no digit."""
    number = np.int64(0)
    for place in range(start, start + count):
        digit = np.int64(buffer[place]) - _ZERO
        number = number * 10 + (digit if 0 <= digit <= 9 else np.int64(-(10**9)))
    return int(number)


@compile_kernel
def _count_days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar.

    Source: days_from_civil in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@compile_kernel
def _is_date(year: int, month: int, day: int) -> bool:
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    return bool(day <= _MONTH_DAYS[month - 1] + (is_leap and month == 2))


@compile_kernel
def read_stamps(buffer: Bytes, starts: Offsets, ends: Offsets) -> Offsets:
    """Parse fields written `2018-05-28 09:03:40`, also with T and with a fraction.

    Shape: one value per field, MISSING where it is something else. Units: microseconds since 1970. Clock: as written.
    """
    moments = np.full(len(starts), MISSING)
    for row in range(len(starts)):
        at, length = starts[row], ends[row] - starts[row]
        if length < 19 or length == 20 or length > 26 or (length > 19 and buffer[at + 19] != _POINT):
            continue
        if buffer[at + 4] != _DASH or buffer[at + 7] != _DASH or buffer[at + 13] != _COLON or buffer[at + 16] != _COLON:
            continue
        if buffer[at + 10] != _SPACE and buffer[at + 10] != _T:
            continue
        year, month, day = _read_whole(buffer, at, 4), _read_whole(buffer, at + 5, 2), _read_whole(buffer, at + 8, 2)
        hour, minute = _read_whole(buffer, at + 11, 2), _read_whole(buffer, at + 14, 2)
        second = _read_whole(buffer, at + 17, 2)
        fraction = _read_whole(buffer, at + 20, length - 20) if length > 19 else 0
        is_clock = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and fraction >= 0
        if is_clock and _is_date(year, month, day):
            for _ in range(26 - length if length > 19 else 0):
                fraction *= 10
            seconds = (_count_days(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second
            moments[row] = seconds * 1_000_000 + fraction
    return moments


@compile_part
def _hash(buffer: Bytes, end: int, length: int) -> np.uint64:
    """Hash a text word by word from its end, as FNV-1a does bytes; the last steps mix all bits into the low ones.

    Without them short ids differ in high bits only and share slots: 263 zone numbers took ten times as long.
    """
    hashed = np.uint64(14_695_981_039_346_656_037)
    while length > 0:
        hashed = (hashed ^ load_word(buffer, end, min(length, 8))) * np.uint64(1_099_511_628_211)
        hashed ^= hashed >> np.uint64(32)
        end, length = end - 8, length - 8
    hashed = (hashed ^ hashed >> np.uint64(29)) * _MIX
    return np.uint64(hashed ^ hashed >> np.uint64(32))


@compile_part
def _is_same(buffer: Bytes, first: int, second: int, length: int) -> bool:
    """Return whether the texts that end at two offsets are equal."""
    while length > 0:
        count = min(length, 8)
        if load_word(buffer, first, count) != load_word(buffer, second, count):
            return False
        first, second, length = first - 8, second - 8, length - 8
    return True


@compile_kernel
def _count_in_block(block: Bytes, quote: int) -> int:
    """Count the line feeds in a block of _BLOCK bytes, which one more byte follows; -1 as count_plain_lines.

    One-byte numbers, a fixed number of rounds and no branch let LLVM vectorize the loop: a GB takes 0.05 s.
    """
    line_feed, carriage_return, space, quote_byte = np.uint8(_LF), np.uint8(_CR), np.uint8(_SPACE), np.uint8(quote)
    lines, odd = np.uint8(0), np.uint8(0)
    for place in range(_BLOCK):
        byte, following = block[place], block[place + 1]
        is_end = np.uint8(byte == line_feed)
        lines = np.uint8(lines + is_end)
        is_blank = is_end & np.uint8(following <= space)
        is_lone = np.uint8(byte == carriage_return) & np.uint8(following != line_feed)
        odd = np.uint8(odd | np.uint8(byte == quote_byte) | is_blank | is_lone)
    return -1 if odd else int(lines)


@compile_kernel
def count_plain_lines(buffer: Bytes, quote: int) -> int:
    """Count the line feeds of a buffer in which each line is one record; -1 where a line may be no record or a part of one.

    That is where a line is empty or begins with a blank, at a CR without LF (but not at the end: its LF may follow), and at a
    quote.
    """
    size = len(buffer)
    if size == 0 or buffer[0] <= _SPACE:
        return -1
    rest = np.full(_BLOCK + 1, _ZERO, np.uint8)
    whole = (size - 1) // _BLOCK * _BLOCK
    rest[: size - whole] = buffer[whole:]
    if buffer[-1] == _CR:
        rest[size - whole - 1] = _ZERO
    lines = _count_in_block(rest, quote)
    for first in range(0, whole, _BLOCK):
        found = _count_in_block(buffer[first : first + _BLOCK + 1], quote)
        if found < 0 or lines < 0:
            return -1
        lines += found
    return lines


@compile_kernel
def _dictionary_encode(buffer: Bytes, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    slots = np.full(_SLOTS, -1, np.int32)
    codes, firsts, count = np.empty(len(starts), np.int64), np.empty(MOST_NAMES, np.int64), 0
    for row in range(len(starts)):
        end, length = ends[row], ends[row] - starts[row]
        slot = np.int64(_hash(buffer, end, length) % np.uint64(_SLOTS))
        while True:
            code = slots[slot]
            if code < 0:
                if count == MOST_NAMES:
                    return codes, firsts[:0]
                slots[slot], firsts[count], codes[row] = count, row, count
                count += 1
                break
            known = firsts[code]
            if ends[known] - starts[known] == length and _is_same(buffer, ends[known], end, length):
                codes[row] = code
                break
            slot = (slot + 1) % _SLOTS
    return codes, firsts[:count]


def dictionary_encode(buffer: Bytes, starts: Offsets, ends: Offsets) -> tuple[Offsets, Offsets]:
    """Dictionary-encode a column's texts in order of appearance; returns each field's code and each text's first field.

    The second array is empty when there are more than MOST_NAMES texts: then the column is no column of names.
    """
    return _dictionary_encode(widen(buffer), starts, ends)


@compile_part
def _list_bits(bits: np.uint64, at: int, places: Offsets, count: int) -> int:
    """Append the offsets of the bits that are set to places[:count]; returns the new count. at: the offset of bit 0."""
    while bits:
        places[count] = at + first_bit(bits)
        bits &= bits - _ONE
        count += 1
    return count


@compile_kernel
def _find_both(buffer: Bytes, first: int, second: int) -> tuple[Offsets, Offsets]:
    firsts, seconds = 0, 0
    for at in range(0, len(buffer), LANES):
        firsts += count_bits(find_between(buffer, at, first, first))
        seconds += count_bits(find_between(buffer, at, second, second))
    places = np.empty(firsts, np.int64), np.empty(seconds, np.int64)
    firsts, seconds = 0, 0
    for at in range(0, len(buffer), LANES):
        firsts = _list_bits(find_between(buffer, at, first, first), at, places[0], firsts)
        seconds = _list_bits(find_between(buffer, at, second, second), at, places[1], seconds)
    return places


def find_both(buffer: Bytes, first: int, second: int) -> tuple[Offsets, Offsets]:
    """Return the offsets of two bytes. Counted first, then listed: 2.2 ms for 16 MiB, against 11 ms in numpy."""
    if len(buffer) < LANES:
        return np.flatnonzero(buffer == first), np.flatnonzero(buffer == second)
    return _find_both(buffer, first, second)


def compile_kernels() -> None:
    """Compile or load all kernels before the first file: 10 s on a new machine, 1 s from the cache."""
    buffer, places = np.frombuffer(bytes(LANES), np.uint8), np.zeros(1, np.int64)
    read_numbers(buffer, places, places, _POINT)
    read_points(buffer, places, places)
    read_stamps(buffer, places, places)
    dictionary_encode(buffer, places, places)
    find_both(buffer, _LF, _SPACE)
    count_plain_lines(buffer, _ZERO)
