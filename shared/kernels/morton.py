"""Morton code: axis steps to positions and back, compiled."""

from typing import Final

import numpy as np

from shared.domain.position import AXIS_STEPS, Degrees, Positions
from shared.kernels.compiler import compile_kernel

_Y_MASK: Final = 0x1555_5555_5555_5555


@compile_kernel
def gather(bits: int) -> int:
    """Every second bit, from the lowest on."""
    value = bits & _Y_MASK
    value = (value | (value >> 1)) & 0x3333_3333_3333_3333
    value = (value | (value >> 2)) & 0x0F0F_0F0F_0F0F_0F0F
    value = (value | (value >> 4)) & 0x00FF_00FF_00FF_00FF
    value = (value | (value >> 8)) & 0x0000_FFFF_0000_FFFF
    return (value | (value >> 16)) & 0xFFFF_FFFF


@compile_kernel
def spread(step: int) -> int:
    """Undo gather."""
    value = (step | (step << 16)) & 0x0000_FFFF_0000_FFFF
    value = (value | (value << 8)) & 0x00FF_00FF_00FF_00FF
    value = (value | (value << 4)) & 0x0F0F_0F0F_0F0F_0F0F
    value = (value | (value << 2)) & 0x3333_3333_3333_3333
    return (value | (value << 1)) & _Y_MASK


@compile_kernel
def join_axes(x: int, y: int) -> int:
    """The position of two axis steps."""
    return spread(x) << 1 | spread(y)


@compile_kernel
def split_axes(positions: Positions) -> tuple[Positions, Positions]:
    """The axis steps of positions. Shape: n → n each."""
    x, y = np.empty(len(positions), np.int64), np.empty(len(positions), np.int64)
    for i in range(len(positions)):
        x[i], y[i] = gather(positions[i] >> 1), gather(positions[i])
    return x, y


@compile_kernel
def _quantise(degrees: float, half: float) -> int:
    return min(np.int64((degrees + half) / (2 * half) * AXIS_STEPS), AXIS_STEPS - 1)  # type: ignore[return-value]


@compile_kernel
def encode_positions(longitude: Degrees, latitude: Degrees) -> Positions:
    """Positions of many points, the same to the bit as encode_position.

    Shape: two arrays of n degrees → n int64. Raises: nothing; callers validate the range first.
    """
    positions = np.empty(len(longitude), np.int64)
    for i in range(len(longitude)):
        positions[i] = spread(_quantise(longitude[i], 180.0)) << 1 | spread(_quantise(latitude[i], 90.0))
    return positions


@compile_kernel
def decode_positions(positions: Positions) -> tuple[Degrees, Degrees]:
    """Longitudes and latitudes of the middles of many positions' squares, the same to the bit as decode_position.

    Shape: n int64 → two arrays of n degrees.
    """
    longitude, latitude = np.empty(len(positions), np.float64), np.empty(len(positions), np.float64)
    for i in range(len(positions)):
        longitude[i] = (gather(positions[i] >> 1) + 0.5) * 360.0 / AXIS_STEPS - 180.0
        latitude[i] = (gather(positions[i]) + 0.5) * 180.0 / AXIS_STEPS - 90.0
    return longitude, latitude
