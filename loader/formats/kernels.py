"""Kernels: the loops over a batch's bytes that decide how fast a file loads, compiled to machine code by numba.

Each reads fields where they lie, between starts and ends of the buffer, and takes only the plain forms that nearly all files
write. The rest (NaN, MISSING) is left to the careful readers in numbers.py, points.py and times.py: a kernel may refuse whatever
it likes, but what it gives is what they would give. Kernels hold no interpreter lock, so batches are read side by side.
The compiled code is kept beside this file, or where NUMBA_CACHE_DIR says.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from loader.formats.times import MISSING

Function = TypeVar("Function", bound=Callable[..., Any])
Letters = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_NAMES: Final = 1_024

_MINUS, _DASH, _POINT, _ZERO, _SPACE, _OPEN, _CLOSE, _COLON, _T = (ord(letter) for letter in "--.0 ():T")
_LF, _CR = 10, 13
_BLOCK: Final = 128  # its line ends fit a byte
_WORD: Final = tuple(b"POINT")
_DIGITS: Final = 18  # as many fit into 63 bits, whatever they are
_POWERS: Final = 10.0 ** np.arange(23)  # exact in float64
_SPLIT: Final = 2.0**27 + 1
_SLOTS: Final = 4 * MOST_NAMES
_MONTH_DAYS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def _compile(function: Function) -> Function:
    return cast("Function", numba.njit(cache=True, nogil=True)(function))


@_compile
def _divide(digits: int, places: int) -> float:
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


@_compile
def _read_digits(buffer: Letters, start: int, end: int, number: int) -> tuple[int, int]:
    """Digits appended to a number, up to the first letter that is none, and where that is."""
    place = start
    while place < end:
        digit = np.int64(buffer[place]) - _ZERO
        if digit < 0 or digit > 9:
            break
        number = number * 10 + int(digit)
        place += 1
    return number, place


@_compile
def _read_number(buffer: Letters, start: int, end: int, point: int) -> tuple[float, int]:
    """A number such as -12.5 at a place, and where it ends; NaN where there is none or it has too many digits."""
    is_negative = start < end and buffer[start] == _MINUS
    first = start + 1 if is_negative else start
    number, place = _read_digits(buffer, first, end, 0)
    digits = place - first
    if digits == 0:
        return np.nan, place
    fraction = 0
    if place < end and buffer[place] == point:
        number, place = _read_digits(buffer, place + 1, end, number)
        fraction = place - first - digits - 1
        if fraction == 0:
            return np.nan, place
    if digits + fraction > _DIGITS:
        return np.nan, place
    value = _divide(number, fraction)
    return (-value if is_negative else value), place


@_compile
def read_numbers(buffer: Letters, starts: Places, ends: Places, point: int) -> Floats:
    """Fields that are one plain number. Shape: one value per field, NaN where it is something else."""
    values = np.full(len(starts), np.nan)
    for row in range(len(starts)):
        value, place = _read_number(buffer, starts[row], ends[row], point)
        if place == ends[row]:
            values[row] = value
    return values


@_compile
def read_points(buffer: Letters, starts: Places, ends: Places) -> tuple[Floats, Floats]:
    """Fields written `POINT (x y)` or `POINT(x y)`. Shape: one value per field, NaN where it is something else."""
    first, second = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    for row in range(len(starts)):
        place, end = starts[row], ends[row] - 1
        if end - place < 9 or buffer[end] != _CLOSE:
            continue
        is_point = True
        for letter in range(5):
            is_point &= buffer[place + letter] == _WORD[letter]
        place += 6 if buffer[place + 5] == _SPACE else 5
        if not is_point or buffer[place] != _OPEN:
            continue
        x, place = _read_number(buffer, place + 1, end, _POINT)
        if place >= end or buffer[place] != _SPACE:
            continue
        y, place = _read_number(buffer, place + 1, end, _POINT)
        if place == end and not np.isnan(x) and not np.isnan(y):
            first[row], second[row] = x, y
    return first, second


@_compile
def _read_whole(buffer: Letters, start: int, count: int) -> int:
    """A whole number of so many digits; far below zero where a letter is none."""
    number = np.int64(0)
    for place in range(start, start + count):
        digit = np.int64(buffer[place]) - _ZERO
        number = number * 10 + (digit if 0 <= digit <= 9 else np.int64(-(10**9)))
    return int(number)


@_compile
def _count_days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the Gregorian calendar.

    Source: days_from_civil in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


@_compile
def _is_date(year: int, month: int, day: int) -> bool:
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    is_leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    return bool(day <= _MONTH_DAYS[month - 1] + (is_leap and month == 2))


@_compile
def read_stamps(buffer: Letters, starts: Places, ends: Places) -> Places:
    """Fields written `2018-05-28 09:03:40`, also with T and with a fraction.

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


@_compile
def _is_same(buffer: Letters, first: int, second: int, length: int) -> bool:
    for letter in range(length):  # noqa: SIM110 - numba compiles no generators in all()
        if buffer[first + letter] != buffer[second + letter]:
            return False
    return True


@_compile
def _count_in_block(letters: Letters, quote: int) -> int:
    """Count the line ends among _BLOCK letters, to which one more is given; -1 as below.

    Numbers of one byte, as many rounds each time and no branch: so these become vector instructions, and a GB takes 0.05 s.
    """
    feed, back, space, mark = np.uint8(_LF), np.uint8(_CR), np.uint8(_SPACE), np.uint8(quote)
    lines, odd = np.uint8(0), np.uint8(0)
    for place in range(_BLOCK):
        letter, following = letters[place], letters[place + 1]
        is_end = np.uint8(letter == feed)
        lines = np.uint8(lines + is_end)
        is_blank = is_end & np.uint8(following <= space)
        is_lone = np.uint8(letter == back) & np.uint8(following != feed)
        odd = np.uint8(odd | np.uint8(letter == mark) | is_blank | is_lone)
    return -1 if odd else int(lines)


@_compile
def count_plain_lines(buffer: Letters, quote: int) -> int:
    """Count the line ends where each line is a record; -1 where one may be none, or a record more than a line: where a line is
    empty or begins with a blank, where a CR stands alone (not at the end: its LF may follow), where there is a quote.
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


@_compile
def number_names(buffer: Letters, starts: Places, ends: Places) -> tuple[Places, Places]:
    """Number the distinct texts of a column, in the order they come. Gives each field's number, and each text's first field.

    The second is empty when there are more than MOST_NAMES: then the column is no column of names.
    """
    slots = np.full(_SLOTS, -1)
    codes, firsts, count = np.empty(len(starts), np.int64), np.empty(MOST_NAMES, np.int64), 0
    for row in range(len(starts)):
        start, length = starts[row], ends[row] - starts[row]
        # FNV-1a.
        hashed = np.uint64(14_695_981_039_346_656_037)
        for place in range(start, ends[row]):
            hashed = (hashed ^ np.uint64(buffer[place])) * np.uint64(1_099_511_628_211)
        slot = np.int64((hashed >> np.uint64(32)) % np.uint64(_SLOTS))
        while True:
            code = slots[slot]
            if code < 0:
                if count == MOST_NAMES:
                    return codes, firsts[:0]
                slots[slot], firsts[count], codes[row] = count, row, count
                count += 1
                break
            known = firsts[code]
            if ends[known] - starts[known] == length and _is_same(buffer, starts[known], start, length):
                codes[row] = code
                break
            slot = (slot + 1) % _SLOTS
    return codes, firsts[:count]


def compile_kernels() -> None:
    """Compile what is not compiled yet, so that the first file needn't wait: 10 s on a new machine, then a tenth."""
    buffer, places = np.frombuffer(bytes(32), np.uint8), np.zeros(1, np.int64)
    read_numbers(buffer, places, places, _POINT)
    read_points(buffer, places, places)
    read_stamps(buffer, places, places)
    number_names(buffer, places, places)
    count_plain_lines(buffer, _ZERO)
