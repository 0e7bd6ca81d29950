"""SIMD comparisons of bytes, as inlined parts of kernels: LANES bytes at once instead of a branch per byte.

LLVM's vector types are used; it compiles them to the instructions that the machine has.
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
Bytes = npt.NDArray[np.uint8]

LANES: Final = 64
"""Bytes compared at once, one bit of the result each: one instruction with AVX-512, a few elsewhere."""


use_cache()


def compile_part(function: Function) -> Function:
    """Compile a part of kernels into each of them: points take two thirds of the time of calls, which hand over whole arrays."""
    return cast("Function", numba.njit(cache=True, nogil=True, forceinline=True)(function))


def _generate(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a kernel part of a function that emits LLVM code; numba calls it with types, then with values."""
    return cast("Callable[..., Any]", intrinsic(function))


@_generate
def _match(_context: Any, buffer: Any, place: Any, low: Any, high: Any) -> Any:  # noqa: ANN401
    """Return a bit for each of the LANES bytes from an offset on: whether low <= byte <= high. Bit 0 is the first byte's."""
    lanes = ir.VectorType(ir.IntType(8), LANES)
    undefined = ir.Constant(lanes, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        def repeat(byte: Any) -> Any:  # noqa: ANN401
            return builder.shuffle_vector(builder.insert_element(undefined, byte, zeros.type.element(0)), undefined, zeros)

        start = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
        found = builder.load(builder.bitcast(start, lanes.as_pointer()), align=1)
        is_between = builder.icmp_unsigned("<=", builder.sub(found, repeat(values[2])), repeat(builder.sub(values[3], values[2])))
        return builder.bitcast(is_between, ir.IntType(LANES))

    return numba.uint64(buffer, numba.int64, numba.uint8, numba.uint8), generate


@_generate
def first_bit(_context: Any, _bits: Any) -> Any:  # noqa: ANN401
    """Return the number of the lowest bit that is set; 64 where none is."""
    return numba.int64(numba.uint64), lambda _, builder, _signature, values: builder.cttz(values[0], ir.IntType(1)(0))


@_generate
def count_bits(_context: Any, _bits: Any) -> Any:  # noqa: ANN401
    """Return the number of bits that are set."""
    return numba.int64(numba.uint64), lambda _, builder, _signature, values: builder.ctpop(values[0])


def widen(buffer: Bytes) -> Bytes:
    """Return the buffer, padded with zeros to LANES bytes where it is shorter."""
    return buffer if len(buffer) >= LANES else np.frombuffer(buffer.tobytes().ljust(LANES, b"\0"), np.uint8)


@compile_part
def find_between(buffer: Bytes, place: int, low: int, high: int) -> np.uint64:
    """Return, as _match, which bytes lie between low and high; bits beyond the end of the buffer, which widen made, are 0."""
    first = min(place, len(buffer) - LANES)
    return np.uint64(_match(buffer, first, low, high) >> np.uint64(place - first))


@compile_part
def load_word(buffer: Bytes, end: int, count: int) -> np.uint64:
    """Load the count bytes (at most eight) before an offset as one word, the last byte on top; the lower bytes are 0."""
    last = max(end, 8)
    first = np.uint64(last - 8)  # unsigned: else numba counts from the end below 0, and this is no single load
    word = np.uint64(0)
    for place in range(8):
        word |= np.uint64(buffer[first + np.uint64(place)]) << np.uint64(8 * place)
    unused = np.uint64(64 - 8 * count)
    return np.uint64((word << np.uint64(8 * (last - end))) >> unused << unused)
