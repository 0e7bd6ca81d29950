"""Encoding: many points as positions, in one pass compiled to machine code; shared/position.py says what those are."""

import numpy as np

from shared.bits import compile_kernel, spread
from shared.position import AXIS_STEPS, Degrees, Positions


@compile_kernel
def _quantise(degrees: float, half: float) -> int:
    return min(np.int64((degrees + half) / (2 * half) * AXIS_STEPS), AXIS_STEPS - 1)  # type: ignore[return-value]


@compile_kernel
def encode_positions(longitude: Degrees, latitude: Degrees) -> Positions:
    """Positions of many points, the same to the bit as encode_position.

    Shape: two arrays of n degrees → n int64. Raises: nothing; callers validate the range first.
    """
    positions = np.empty(len(longitude), np.int64)
    for place in range(len(longitude)):
        positions[place] = spread(_quantise(longitude[place], 180.0)) << 1 | spread(_quantise(latitude[place], 90.0))
    return positions
