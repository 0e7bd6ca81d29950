"""Shapes in the address: each ring as a Flexible Polyline of 6 decimals (0.1 m), rings joined by dots.

    encode_shape(shape)          # "BGgu0x1qC8k4zOw…"; None where it is too long for an address
    parse_shape_text(text)       # the shape, within 0.1 m

The text needs no percent-encoding. Latitude comes first in it. CRS: WGS 84.
Source: HERE, "Flexible Polyline encoding" (version 1).
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared.areas.shape import Shape, parse_shape

Ring = Sequence[Sequence[float]]

MOST_CHARACTERS: Final = 6_000
"""Browsers take more; chat programs and proxies cut addresses at 8,000. About 900 vertices of a city's size."""

_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEADER: Final = "BG"  # version 1, 6 decimals, no third dimension
_SCALE: Final = 10**6


def make_shape(rings: Iterable[Ring]) -> Shape:
    """Make a shape of rings that don't repeat their first vertex. Units: degrees, longitude first. Raises: RequestError."""
    return parse_shape({"type": "MultiPolygon", "coordinates": [[[*ring, ring[0]]] for ring in rings if ring]})


def list_rings(shape: Shape) -> list[list[list[float]]]:
    """The rings of a shape, without the repeated first vertex. Units: degrees, longitude first."""
    return [ring[:-1].tolist() for ring in shape.rings]


def encode_shape(shape: Shape) -> str | None:
    """The shape as text; None where it is longer than MOST_CHARACTERS."""
    text = ".".join(_encode_ring(ring) for ring in list_rings(shape))
    return text if len(text) <= MOST_CHARACTERS else None


def parse_shape_text(text: str) -> Shape:
    """Read what encode_shape wrote. Raises: ValueError for other text; RequestError for rings that are no shape."""
    return make_shape([_parse_ring(part) for part in text.split(".")])


def _encode_ring(ring: Ring) -> str:
    steps = [(round(latitude * _SCALE), round(longitude * _SCALE)) for longitude, latitude in ring]
    moves = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise([(0, 0), *steps])]
    return _HEADER + "".join(_encode_number(number) for move in moves for number in move)


def _encode_number(number: int) -> str:
    """Five bits a character, the lowest first; the sign is the lowest bit."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    digits = []
    while rest > 0x1F:
        digits.append(_DIGITS[rest & 0x1F | 0x20])
        rest >>= 5
    return "".join(digits) + _DIGITS[rest]


def _parse_ring(text: str) -> list[list[float]]:
    if not text.startswith(_HEADER):
        raise ValueError(text)
    moves = list(_parse_numbers(text[len(_HEADER) :]))
    latitudes, longitudes = (itertools.accumulate(moves[axis::2]) for axis in (0, 1))
    return [[x / _SCALE, y / _SCALE] for y, x in zip(latitudes, longitudes, strict=True)]


def _parse_numbers(text: str) -> Iterator[int]:
    number = shift = 0
    for character in text:
        digit = _DIGITS.index(character)
        number |= (digit & 0x1F) << shift
        shift += 5
        if not digit & 0x20:
            yield ~(number >> 1) if number & 1 else number >> 1
            number = shift = 0
    if shift:
        raise ValueError(text)
