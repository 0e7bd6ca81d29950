"""Bits: columns of numbers packed bit by bit, and the loops that write and read them, compiled to machine code by numba.

A column holds groups of numbers, each with the width of its largest before it. Groups are small where a number's size tells those
of its neighbours (differences of positions), and as large as the column where it doesn't. It is made of whole 64-bit words.
The compiled code is kept (shared/kernels/compiler.py); kernels hold no interpreter lock.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, cast

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers, Words

SMALL_GROUP: Final = 16
"""Numbers of a group where neighbours are alike: fewer cost more widths, more cost wider numbers. With 32, places of origins take
0.07 bytes a trip more and those of destinations 0.05; with 8 they take 0.06 and 0.02 less, and more time to read."""

_WIDTH_BITS: Final = 6
# The widest numbers that lie in the eight bytes from their first one's on, whichever bit of that they begin with.
_LOADED_BITS: Final = 57


@compile_kernel
def _get(words: Words, bit: int, mask: np.uint64) -> int:
    """Read a number's bits without asking whether they pass the end of a word; so a word must follow the last."""
    word, shift = bit >> 6, np.uint64(bit & 63)
    low = words[word] >> shift
    high = (words[word + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    return np.int64((low | high) & mask)  # type: ignore[return-value]


def _type_load(_context: Any, words: Any, _byte: Any) -> Any:  # noqa: ANN401 - numba's own types
    """Load the eight bytes of words that begin at any byte."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        i = builder.gep(builder.bitcast(data, cgutils.voidptr_t), [arguments[1]])
        return builder.load(builder.bitcast(i, context.get_value_type(types.CPointer(types.uint64))), align=1)  # type: ignore[no-untyped-call]

    return types.uint64(words, types.int64), generate


_load = cast("Callable[[Words, int], np.uint64]", intrinsic(_type_load))


@compile_kernel
def _mask(width: int) -> np.uint64:
    return np.uint64((1 << width) - 1)


@compile_kernel
def count_bits(number: int) -> int:
    """Bits of a number of 0 or more."""
    bits = 0
    while number:
        number >>= 1
        bits += 1
    return bits


@compile_kernel
def pack_numbers(values: Numbers, offsets: Numbers, parts: int = 0) -> tuple[Words, Numbers]:
    """Pack the numbers between each two cuts into a column of bits, as so many groups of equal size; 0: as small groups.

    Shape: n numbers of 0 to 2^62 - 1, m + 1 cuts → words, and the m + 1 words where columns begin.
    """
    blocks = len(offsets) - 1
    words = np.empty(len(values) + len(values) // 8 + 2 * blocks + 2, np.uint64)
    offsets_of_columns = np.zeros(blocks + 1, np.int64)
    for block in range(blocks):
        word, used, held = offsets_of_columns[block], 0, np.uint64(0)
        size = (offsets[block + 1] - offsets[block]) // parts if parts else SMALL_GROUP
        for first in range(offsets[block], offsets[block + 1], size):
            group = values[first : min(first + size, offsets[block + 1])]
            union = np.int64(0)
            for i in range(len(group)):
                union |= group[i]
            width = count_bits(int(union))
            # Their width comes first. No function is called here: numbers cost six times as much with one that writes them.
            for i in range(-1, len(group)):
                value, bits = np.uint64(width if i < 0 else group[i]), _WIDTH_BITS if i < 0 else width
                held |= value << np.uint64(used)
                used += bits
                if used >= 64:
                    words[word] = held
                    word, used = word + 1, used - 64
                    held = value >> np.uint64(bits - used)
        if used:
            words[word] = held
        offsets_of_columns[block + 1] = word + (used > 0)
    return words[: offsets_of_columns[blocks]], offsets_of_columns


@compile_kernel
def unpack_numbers(words: Words, start: int, values: Numbers, size: int = SMALL_GROUP) -> None:
    """Read a column of groups of that size, which begins at a word; values is filled. At least one word follows the column."""
    bit = start << 6
    for first in range(0, len(values), size):
        width = _get(words, bit, _mask(_WIDTH_BITS))
        bit += _WIDTH_BITS
        mask = _mask(width)
        group = values[first : first + size]
        if width <= _LOADED_BITS:
            # Half the time of reading two words for each number.
            for i in range(len(group)):
                at = bit + i * width
                group[i] = np.int64((_load(words, at >> 3) >> np.uint64(at & 7)) & mask)
        else:
            for i in range(len(group)):
                group[i] = _get(words, bit + i * width, mask)
        bit += len(group) * width


def list_columns(words: Words, offsets_of_columns: Numbers) -> list[bytes]:
    """Give each column of pack_numbers as bytes."""
    data = words.astype("<u8").tobytes()
    return [data[first:last] for first, last in pairwise((8 * offsets_of_columns).tolist())]
