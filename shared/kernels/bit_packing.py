"""Bit packing: columns of numbers with as many bits as the largest of each group needs.

A column is a sequence of groups: six bits with the width, then the numbers with that many bits each. Groups are small where
neighbours are of similar size (differences of positions), and as large as the column elsewhere. A column takes whole 64-bit
words.
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
"""Numbers of a small group. Smaller groups store more widths, larger ones wider numbers: groups of 32 take 0.07 bytes a trip more
for origins and 0.05 for destinations; groups of 8 take 0.06 and 0.02 bytes less, and more time to read."""

_WIDTH_BITS: Final = 6
# The widest numbers that one unaligned load of eight bytes reads, whatever the first bit.
_LOADED_BITS: Final = 57


@compile_kernel
def _get(words: Words, bit: int, mask: np.uint64) -> int:
    """Read a number that may span two words, branch-free; so a word must follow the last one."""
    word, shift = bit >> 6, np.uint64(bit & 63)
    low = words[word] >> shift
    high = (words[word + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    return np.int64((low | high) & mask)  # type: ignore[return-value]


def _type_load(_context: Any, words: Any, _byte: Any) -> Any:  # noqa: ANN401 - numba's own types
    """Load eight bytes at any byte offset in words."""

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
    """Number of bits of a non-negative number."""
    bits = 0
    while number:
        number >>= 1
        bits += 1
    return bits


@compile_kernel
def pack_numbers(values: Numbers, offsets: Numbers, parts: int = 0) -> tuple[Words, Numbers]:
    """Pack each range of values into a column of bits. parts: number of groups of equal size; 0: groups of SMALL_GROUP.

    Shape: n values of 0 to 2^62 - 1, m + 1 offsets of ranges → words of all columns, and their m + 1 offsets in words.
    """
    blocks = len(offsets) - 1
    words = np.empty(len(values) + len(values) // 8 + 2 * blocks + 2, np.uint64)
    starts = np.zeros(blocks + 1, np.int64)
    for block in range(blocks):
        word, used, held = starts[block], 0, np.uint64(0)
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
        starts[block + 1] = word + (used > 0)
    return words[: starts[blocks]], starts


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
            # Half the time of reading two words a number.
            for i in range(len(group)):
                at = bit + i * width
                group[i] = np.int64((_load(words, at >> 3) >> np.uint64(at & 7)) & mask)
        else:
            for i in range(len(group)):
                group[i] = _get(words, bit + i * width, mask)
        bit += len(group) * width


def list_columns(words: Words, starts: Numbers) -> list[bytes]:
    """Each column of pack_numbers as bytes."""
    data = words.astype("<u8").tobytes()
    return [data[first:last] for first, last in pairwise((8 * starts).tolist())]
