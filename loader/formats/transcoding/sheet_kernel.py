"""Sheet kernel: the furthest row and column that hold something, in a sheet's XML as it is unpacked.

Looks at tags only: `<row r="7">` and `<c r="B7">`, with any prefix of a namespace and either quote. A cell without an
address lies behind the one before. What only looks like a cell (inside a comment) counts as none.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.kernels.compiler import compile_kernel

Bytes = npt.NDArray[np.uint8]
State = npt.NDArray[np.int64]

_LESS, _MORE, _SLASH, _COLON, _BANG, _QUESTION, _EQUALS = (ord(sign) for sign in "<>/:!?=")
_QUOTE, _APOSTROPHE, _DASH, _SPACE = (ord(sign) for sign in "\"'- ")
_R, _C, _O, _W, _ZERO, _OPEN, _CLOSE = (ord(sign) for sign in "rcow0[]")
_CASE: Final = 32
_FAR: Final = 2**31  # no sheet has as many rows or columns


@compile_kernel
def _find_end(buffer: Bytes, start: int) -> int:
    """The place of a tag's `>`, quotes respected; the buffer's length where it lies beyond."""
    size, quote = len(buffer), 0
    for place in range(start, size):
        sign = buffer[place]
        if quote:
            quote = 0 if sign == quote else quote
        elif sign in (_QUOTE, _APOSTROPHE):
            quote = sign
        elif sign == _MORE:
            return place
    return size


@compile_kernel
def _find_closing(buffer: Bytes, start: int, sign: int) -> int:
    """The place of the `>` behind two of a sign: the end of a comment or of CDATA."""
    for place in range(start + 2, len(buffer)):
        if buffer[place] == _MORE and buffer[place - 1] == sign and buffer[place - 2] == sign:
            return place
    return len(buffer)


@compile_kernel
def _skip_markup(buffer: Bytes, start: int) -> int:
    """The end of `<!-- -->`, `<![CDATA[ ]]>`, `<!…>` or `<?…>`, whose `<` is at start."""
    if start + 3 >= len(buffer):
        return len(buffer)
    if buffer[start + 1] == _BANG and buffer[start + 2] == _DASH:
        return _find_closing(buffer, start + 4, _DASH)
    if buffer[start + 1] == _BANG and buffer[start + 2] == _OPEN:
        return _find_closing(buffer, start + 4, _CLOSE)
    return _find_end(buffer, start + 1)


@compile_kernel
def _find_address(buffer: Bytes, start: int, end: int) -> int:
    """The first sign of the value of the attribute `r`; -1 where there is none."""
    quote = 0
    for place in range(start, end):
        sign = buffer[place]
        if quote:
            quote = 0 if sign == quote else quote
        elif sign in (_QUOTE, _APOSTROPHE):
            quote = sign
        elif sign == _R and buffer[place - 1] <= _SPACE:
            at = place + 1
            while at < end and buffer[at] <= _SPACE:
                at += 1
            if at < end and buffer[at] == _EQUALS:
                at += 1
                while at < end and buffer[at] <= _SPACE:
                    at += 1
                return at + 1
    return -1


@compile_kernel
def _take_address(buffer: Bytes, address: int, state: State) -> None:
    """Move to a cell's address, such as B7; to the next column where it has none."""
    row, column = np.int64(0), np.int64(0)
    if address >= 0:
        place = address
        while place < len(buffer) and 1 <= (buffer[place] | _CASE) - 96 <= 26:
            column = min(column * 26 + (buffer[place] | _CASE) - 96, np.int64(_FAR))
            place += 1
        while place < len(buffer) and 0 <= np.int64(buffer[place]) - _ZERO <= 9:
            row = min(row * 10 + np.int64(buffer[place]) - _ZERO, np.int64(_FAR))
            place += 1
    state[1] = column if column else state[1] + 1
    state[0] = row if row else state[0]


@compile_kernel
def _find_name(buffer: Bytes, start: int, end: int) -> tuple[int, int]:
    """Where the name of a tag begins, behind the prefix of its namespace, and where it ends."""
    name = stop = start
    while stop < end and buffer[stop] > _SPACE and buffer[stop] != _SLASH:
        stop += 1
        if buffer[stop - 1] == _COLON:
            name = stop
    return name, stop


@compile_kernel
def _take_tag(buffer: Bytes, bounds: tuple[int, int], state: State) -> None:
    """Look at one tag, from behind its `<` to its `>`."""
    start, end = bounds
    name, stop = _find_name(buffer, start, end)
    is_row = stop - name == 3 and buffer[name] == _R and buffer[name + 1] == _O and buffer[name + 2] == _W
    if not is_row and (stop - name != 1 or buffer[name] != _C):
        return
    address = _find_address(buffer, stop, end)
    if is_row and address < 0:
        state[0] += 1
    else:
        _take_address(buffer, address, state)
    if is_row:
        state[1] = 0
    elif buffer[end - 1] != _SLASH:
        state[2], state[3] = max(state[2], state[0]), max(state[3], state[1])


@compile_kernel
def measure_cells(buffer: Bytes, state: State) -> int:
    """Look at the tags of a piece. state: row and column at hand, the furthest of both so far.

    Returns how many bytes are done with; the rest begins a tag that goes on in the next piece.
    """
    place, size = 0, len(buffer)
    while place < size:
        if buffer[place] != _LESS:
            place += 1
            continue
        is_markup = place + 1 >= size or buffer[place + 1] == _BANG or buffer[place + 1] == _QUESTION
        end = _skip_markup(buffer, place) if is_markup else _find_end(buffer, place + 1)
        if end >= size:
            return place
        if not is_markup:
            _take_tag(buffer, (place + 1, end), state)
        place = end + 1
    return size
