"""Letters: many of a batch's letters looked at together, as parts of kernels.

Where a loop would take a branch a letter, LLVM has vectors, and makes of them whatever instructions the machine has.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic

from shared.kernels.compiler import use_cache

Function = TypeVar("Function", bound=Callable[..., Any])
Letters = npt.NDArray[np.uint8]

LETTERS: Final = 64
"""Letters that are looked at together, one to a bit: one instruction with AVX-512, a few elsewhere."""


use_cache()


def compile_part(function: Function) -> Function:
    """Compile a part of kernels into each of them: points take two thirds of the time of calls, which hand over whole arrays."""
    return cast("Function", numba.njit(cache=True, nogil=True, forceinline=True)(function))


def _generate(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a part of kernels of what writes its LLVM code; numba gives the types, and then the values."""
    return cast("Callable[..., Any]", intrinsic(function))


@_generate
def _match(_context: Any, buffer: Any, place: Any, low: Any, high: Any) -> Any:  # noqa: ANN401
    """Tell which of the LETTERS letters from a place on lie between two letters: bit 0 is the first one's."""
    letters = ir.VectorType(ir.IntType(8), LETTERS)
    nothing = ir.Constant(letters, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LETTERS), [0] * LETTERS)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        def repeat(letter: Any) -> Any:  # noqa: ANN401
            return builder.shuffle_vector(builder.insert_element(nothing, letter, zeros.type.element(0)), nothing, zeros)

        start = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
        found = builder.load(builder.bitcast(start, letters.as_pointer()), align=1)
        is_between = builder.icmp_unsigned("<=", builder.sub(found, repeat(values[2])), repeat(builder.sub(values[3], values[2])))
        return builder.bitcast(is_between, ir.IntType(LETTERS))

    return numba.uint64(buffer, numba.int64, numba.uint8, numba.uint8), generate


@_generate
def first_bit(_context: Any, _bits: Any) -> Any:  # noqa: ANN401
    """Give the place of the lowest bit that is set; 64 where none is."""
    return numba.int64(numba.uint64), lambda _, builder, _signature, values: builder.cttz(values[0], ir.IntType(1)(0))


@_generate
def count_bits(_context: Any, _bits: Any) -> Any:  # noqa: ANN401
    """Give how many bits are set."""
    return numba.int64(numba.uint64), lambda _, builder, _signature, values: builder.ctpop(values[0])


def widen(buffer: Letters) -> Letters:
    """Give a buffer at least as many letters as are looked at together."""
    return buffer if len(buffer) >= LETTERS else np.frombuffer(buffer.tobytes().ljust(LETTERS, b"\0"), np.uint8)


@compile_part
def find_between(buffer: Letters, place: int, low: int, high: int) -> np.uint64:
    """Tell as _match which letters lie between two; beyond the buffer, which is wide, none does."""
    first = min(place, len(buffer) - LETTERS)
    return np.uint64(_match(buffer, first, low, high) >> np.uint64(place - first))


@compile_part
def load_word(buffer: Letters, end: int, count: int) -> np.uint64:
    """Load the up to eight letters before a place as one word, the last one on top; those before them are 0."""
    last = max(end, 8)
    first = np.uint64(last - 8)  # unsigned: else numba counts from the end below 0, and this is no single load
    word = np.uint64(0)
    for place in range(8):
        word |= np.uint64(buffer[first + np.uint64(place)]) << np.uint64(8 * place)
    unused = np.uint64(64 - 8 * count)
    return np.uint64((word << np.uint64(8 * (last - end))) >> unused << unused)
