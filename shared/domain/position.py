"""Positions: a point as one integer of 62 bits, so that a coarser cell is a right shift and a box test two comparisons.

Compiled into kernels.

Each axis is cut into 2^31 equal steps (1.7e-7° of longitude, about 2 cm); the bits are interleaved, longitude the higher of
each pair, which is geohash order: `position >> (62 - 5 * precision)` is the geohash cell of that precision.

CRS: WGS 84, longitude before latitude.
Source: G. M. Morton (1966) for the order; G. Niemeyer's geohash for longitude first.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

AXIS_BITS: Final = 31
AXIS_STEPS: Final = 2**AXIS_BITS
POSITION_BITS: Final = 2 * AXIS_BITS
X_MASK: Final = 0x2AAA_AAAA_AAAA_AAAA
Y_MASK: Final = 0x1555_5555_5555_5555
GEOHASH_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"

Degrees = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

# Spreading shifts and masks: 32 → 64 bits, a zero between any two (S. E. Anderson, Bit Twiddling Hacks, "Interleave bits").
_SPREAD: Final = (
    (16, 0x0000_FFFF_0000_FFFF),
    (8, 0x00FF_00FF_00FF_00FF),
    (4, 0x0F0F_0F0F_0F0F_0F0F),
    (2, 0x3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555),
)
# The same backwards: each shift with the mask of the step before it.
_GATHER: Final = tuple(
    (shift, mask) for (shift, _), (_, mask) in zip(_SPREAD[::-1], [*_SPREAD[-2::-1], (0, 0xFFFF_FFFF)], strict=True)
)


def spread_axis(step: int) -> int:
    """Put a zero bit before every bit of an axis step (0 to 2^31 - 1)."""
    for shift, mask in _SPREAD:
        step = (step | step << shift) & mask
    return step


def gather_axis(bits: int) -> int:
    """Undo spread_axis; bits at odd places are ignored."""
    bits &= _SPREAD[-1][1]
    for shift, mask in _GATHER:
        bits = (bits | bits >> shift) & mask
    return bits


def quantise_longitude(longitude: float) -> int:
    """Step of the longitude axis, 0 to 2^31 - 1; 180° falls in the last step. Units: degrees, -180 to 180."""
    return min(int((longitude + 180.0) / 360.0 * AXIS_STEPS), AXIS_STEPS - 1)


def quantise_latitude(latitude: float) -> int:
    """Step of the latitude axis, 0 to 2^31 - 1; 90° falls in the last step. Units: degrees, -90 to 90."""
    return min(int((latitude + 90.0) / 180.0 * AXIS_STEPS), AXIS_STEPS - 1)


def encode_position(longitude: float, latitude: float) -> int:
    """Position of one point. Units: degrees."""
    return spread_axis(quantise_longitude(longitude)) << 1 | spread_axis(quantise_latitude(latitude))


def decode_position(position: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a position's square. Units: degrees."""
    x, y = gather_axis(position >> 1), gather_axis(position)
    return (x + 0.5) * 360.0 / AXIS_STEPS - 180.0, (y + 0.5) * 180.0 / AXIS_STEPS - 90.0


def step_bits(shift: int) -> tuple[int, int]:
    """Bits of an x and of a y step below a cell of `position >> shift`; an odd shift takes one more off y."""
    return shift // 2, (shift + 1) // 2


def cell_box(cell: int, shift: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a cell of `position >> shift`. Units: degrees."""
    x, y = gather_axis(cell << shift >> 1), gather_axis(cell << shift)
    x_bits, y_bits = step_bits(shift)
    west, east = (step * 360.0 / AXIS_STEPS - 180.0 for step in (x, x + (1 << x_bits)))
    south, north = (step * 180.0 / AXIS_STEPS - 90.0 for step in (y, y + (1 << y_bits)))
    return west, south, east, north


def cell_middle(cell: int, shift: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a cell. Units: degrees."""
    west, south, east, north = cell_box(cell, shift)
    return (west + east) / 2, (south + north) / 2


def cell_middles(cells: Positions, shift: int) -> tuple[Degrees, Degrees]:
    """Middles of many cells, as cell_middle. Shape: n cells → n longitudes and n latitudes."""
    x_bits, y_bits = step_bits(shift)
    corners = cells << np.int64(shift)
    x, y = gather_many(corners >> np.int64(1)).astype(np.float64), gather_many(corners).astype(np.float64)
    longitude: Degrees = (x + 2.0 ** (x_bits - 1)) * (360.0 / AXIS_STEPS) - 180.0
    latitude: Degrees = (y + 2.0 ** (y_bits - 1)) * (180.0 / AXIS_STEPS) - 90.0
    return longitude, latitude


def format_geohash(cell: int, precision: int) -> str:
    """Geohash text of a cell of the given number of characters."""
    return "".join(GEOHASH_ALPHABET[cell >> 5 * place & 31] for place in reversed(range(precision)))


def parse_geohash(text: str) -> int:
    """Cell of a geohash text. Raises: ValueError for a character outside the alphabet."""
    cell = 0
    for character in text.lower():
        cell = cell << 5 | GEOHASH_ALPHABET.index(character)
    return cell


def gather_many(bits: Positions) -> Positions:
    """Undo spread_axis for many. Shape: n → n."""
    bits = bits & np.int64(_SPREAD[-1][1])
    for shift, mask in _GATHER:
        bits |= bits >> np.int64(shift)
        bits &= np.int64(mask)
    return bits
