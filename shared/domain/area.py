"""Areas: what a question asks about, on the grid of positions. Compiled into kernels.

    area = parse_bbox("7.5,45.0,7.7,45.1").on_grid()
    area.contains(positions)
    area.classify(bounds)          # OUTSIDE, CUT or INSIDE
    area.bounds()                  # ten integers for position_in_area(position, bounds, ranges)
    area.inner(34)                 # the part made of whole cells of `position >> 34`

An Area is a Box here or a Shape (areas/shape.py). Whatever tests positions uses its GridArea alone.

CRS: WGS 84. Edges count as inside. West > east crosses the antimeridian.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from shared.domain.position import (
    AXIS_BITS,
    AXIS_STEPS,
    X_MASK,
    Y_MASK,
    Positions,
    quantise_latitude,
    quantise_longitude,
    spread_axis,
    step_bits,
)
from shared.platform.arrays import Flags, Numbers
from shared.platform.errors import RequestError

_EMPTY = (1, 0)

OUTSIDE, CUT, INSIDE = range(3)
"""How a rectangle lies to an area: no position of it, some, or all positions of it lie in the area."""

Bounds = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Rectangles: lowest and highest x, lowest and highest y of each, in axis steps. Shape: n each."""


class GridTree(NamedTuple):
    """The edges of a shape in a tree of grids (kernels/grid_tree.py). No nodes: a box."""

    nodes: Numbers
    entries: npt.NDArray[np.int32]
    leaf_offsets: npt.NDArray[np.int32]
    leaf_edges: npt.NDArray[np.int32]
    leaf_parity: npt.NDArray[np.int8]
    edges: Numbers
    sums: npt.NDArray[np.int32]


@cache
def make_empty_tree() -> GridTree:
    """The tree of a box."""
    numbers, small = np.empty(0, np.int64), np.empty(0, np.int32)
    return GridTree(
        numbers.reshape(0, 6), small, small, small, small.astype(np.int8), numbers.reshape(0, 4), small.reshape(2, 0, 0)
    )


class AreaLimits(NamedTuple):
    """An area as kernels take it: positions in one of two boxes, edges included, that lie in the shape, if there is one.

    The boxes lie side by side: as masked positions (bits), and in axis steps. The second may be empty.
    """

    x_low_bits: int
    x_high_bits: int
    next_x_low_bits: int
    next_x_high_bits: int
    y_low_bits: int
    y_high_bits: int
    x_low: int
    x_high: int
    next_x_low: int
    next_x_high: int
    y_low: int
    y_high: int
    tree: GridTree


class CellArea(Protocol):
    """A set of positions. Bounds are rectangles in axis steps; n positions or rectangles give n results."""

    @property
    def is_empty(self) -> bool:
        """Whether no position can lie in it."""

    def contains(self, positions: Positions) -> Flags:
        """Which positions lie in it."""

    def classify(self, bounds: Bounds) -> npt.NDArray[np.int8]:
        """How each rectangle lies to the area: OUTSIDE, CUT or INSIDE. CUT may also be said of others."""

    def find_position_range(self) -> tuple[int, int]:
        """The lowest and highest position that may lie in it."""


class GridArea(CellArea, Protocol):
    """A set of positions that trips are tested against."""

    def find_cut_axes(self, bounds: Bounds) -> tuple[Flags, Flags]:
        """Of rectangles that are CUT: whether positions must be compared by x, and by y."""

    def inner(self, shift: int) -> CellArea:
        """The part made of whole cells of `position >> shift`."""

    def limits(self) -> AreaLimits:
        """The area as kernels take it."""

    def bounds(self) -> list[int]:
        """Ten integers for SQL's position_in_area: the two boxes of limits()."""

    def cut_ranges(self) -> list[int] | None:
        """Ranges of positions that ranges() asks about; None: the bounds say all."""

    def ranges(self, positions: Positions) -> list[int] | None:
        """Ranges that hold, of the positions that are given and those outside cut_ranges(), the ones in the area.

        positions: all in cut_ranges() that matter. Ranges are first and first later position of each, in order.
        """


Extent = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


class Area(Protocol):
    """What a question asks about: hashable, with a text that tells it from others."""

    def on_grid(self) -> GridArea:
        """The area on the grid of positions."""

    @property
    def extent(self) -> Extent:
        """The rectangle around it; east lies beyond 180 where it crosses the antimeridian."""


@dataclass(frozen=True, slots=True)
class AxisArea:
    """An area in axis steps: one or two x ranges and one y range, ends included; low > high is empty."""

    x_ranges: tuple[tuple[int, int], ...]
    y_range: tuple[int, int]

    @property
    def is_empty(self) -> bool:
        """Whether no position can lie in it."""
        return self.y_range[0] > self.y_range[1] or all(low > high for low, high in self.x_ranges)

    def bounds(self) -> list[int]:
        """Ten integers for SQL's position_in_area: z and x bounds of two boxes, then the y bounds."""
        numbers: list[int] = []
        y_low, y_high = (spread_axis(max(0, step)) for step in self.y_range)
        for x_range in [*self.x_ranges, _EMPTY][:2]:
            if self.is_empty or x_range[0] > x_range[1]:
                numbers += [1, 0, 1, 0]
                continue
            x_low, x_high = (spread_axis(step) << 1 for step in x_range)
            numbers += [x_low | y_low, x_high | y_high, x_low, x_high]
        return [*numbers, y_low, y_high]

    def steps(self) -> list[int]:
        """Six integers for the kernels: two x ranges, then the y range."""
        x_ranges = [_EMPTY if self.is_empty else x_range for x_range in [*self.x_ranges, _EMPTY][:2]]
        return [*x_ranges[0], *x_ranges[1], *self.y_range]

    def limits(self) -> AreaLimits:
        """The area as kernels take it."""
        _, _, x_low, x_high, _, _, next_x_low, next_x_high, y_low, y_high = self.bounds()
        west, east, next_west, next_east, south, north = self.steps()
        return AreaLimits(
            x_low_bits=x_low,
            x_high_bits=x_high,
            next_x_low_bits=next_x_low,
            next_x_high_bits=next_x_high,
            y_low_bits=y_low,
            y_high_bits=y_high,
            x_low=west,
            x_high=east,
            next_x_low=next_west,
            next_x_high=next_east,
            y_low=south,
            y_high=north,
            tree=make_empty_tree(),
        )

    def cut_ranges(self) -> None:
        """None: the bounds say all."""

    def ranges(self, positions: Positions) -> None:
        """None: the bounds say all."""

    def contains(self, positions: Positions) -> Flags:
        """Which positions lie in it. Shape: n → n flags."""
        bounds = self.bounds()
        x, y = positions & X_MASK, positions & Y_MASK
        is_between = ((x >= bounds[2]) & (x <= bounds[3])) | ((x >= bounds[6]) & (x <= bounds[7]))
        inside: npt.NDArray[np.bool_] = is_between & (y >= bounds[8]) & (y <= bounds[9])
        return inside

    def classify(self, bounds: Bounds) -> npt.NDArray[np.int8]:
        """How each rectangle lies to the area: OUTSIDE, CUT or INSIDE. Shape: n rectangles → n."""
        _, _, y_low, y_high = bounds
        touches, covers = np.zeros(len(y_low), np.bool_), np.zeros(len(y_low), np.bool_)
        for first, last in () if self.is_empty else self.x_ranges:
            touches |= (bounds[1] >= first) & (bounds[0] <= last)
            covers |= (bounds[0] >= first) & (bounds[1] <= last)
        touches &= (y_high >= self.y_range[0]) & (y_low <= self.y_range[1])
        covers &= (y_low >= self.y_range[0]) & (y_high <= self.y_range[1])
        return touches.astype(np.int8) + covers

    def find_cut_axes(self, bounds: Bounds) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Of rectangles that are CUT: whether positions must be compared by x, and by y. Shape: n each."""
        x_low, x_high, y_low, y_high = bounds
        covers_x = np.zeros(len(x_low), np.bool_)
        for first, last in self.x_ranges:
            covers_x |= (x_low >= first) & (x_high <= last)
        return ~covers_x, ~((y_low >= self.y_range[0]) & (y_high <= self.y_range[1]))

    def find_position_range(self) -> tuple[int, int]:
        """The lowest and highest position that may lie in it."""
        x_ranges = [x_range for x_range in self.x_ranges if x_range[0] <= x_range[1]] or [_EMPTY]
        low, high = (spread_axis(max(0, step)) for step in self.y_range)
        west, east = min(x_range[0] for x_range in x_ranges), max(x_range[1] for x_range in x_ranges)
        return spread_axis(west) << 1 | low, spread_axis(east) << 1 | high

    def inner(self, shift: int) -> "AxisArea":
        """The part made of whole cells of `position >> shift`."""
        x_bits, y_bits = step_bits(shift)
        return AxisArea(tuple(_shrink(x_range, x_bits) for x_range in self.x_ranges), _shrink(self.y_range, y_bits))

    def outer(self, shift: int) -> "AxisArea":
        """The whole cells of `position >> shift` that it touches."""
        if self.is_empty:
            return self
        x_bits, y_bits = step_bits(shift)
        return AxisArea(tuple(_grow(x_range, x_bits) for x_range in self.x_ranges), _grow(self.y_range, y_bits))


@dataclass(frozen=True, slots=True)
class Box:
    """West, south, east, north in degrees."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise RequestError("A box's west and east lie between -180 and 180 degrees.", parameter="bbox")
        if not (-90 <= self.south <= 90 and -90 <= self.north <= 90):
            raise RequestError("A box's south and north lie between -90 and 90 degrees.", parameter="bbox")
        if self.south > self.north:
            raise RequestError("A box's south must not lie north of its north.", parameter="bbox")

    @property
    def extent(self) -> Extent:
        """The box itself; east lies beyond 180 where it crosses the antimeridian."""
        return self.west, self.south, self.east + 360 if self.west > self.east else self.east, self.north

    def on_grid(self) -> AxisArea:
        """The box in axis steps; two x ranges when it crosses the antimeridian."""
        west, east = quantise_longitude(self.west), quantise_longitude(self.east)
        y_range = (quantise_latitude(self.south), quantise_latitude(self.north))
        if self.west > self.east:
            return AxisArea(((west, AXIS_STEPS - 1), (0, east)), y_range)
        return AxisArea(((west, east),), y_range)

    def text(self) -> str:
        """`W,S,E,N`, as parse_bbox reads it."""
        return ",".join(f"{edge:.7f}".rstrip("0").rstrip(".") for edge in (self.west, self.south, self.east, self.north))


def parse_bbox(text: str) -> Box:
    """Read `W,S,E,N` in degrees. Raises: RequestError."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise RequestError(f"A box is four numbers W,S,E,N in degrees, not {text!r}.", parameter="bbox") from error
    return Box(west, south, east, north)


def _shrink(steps: tuple[int, int], bits: int) -> tuple[int, int]:
    low = -(-steps[0] >> bits) << bits
    high = ((steps[1] + 1) >> bits << bits) - 1
    return (low, high) if low <= high else _EMPTY


def _grow(steps: tuple[int, int], bits: int) -> tuple[int, int]:
    return (steps[0] >> bits << bits, ((steps[1] >> bits) + 1 << bits) - 1) if steps[0] <= steps[1] else _EMPTY


WHOLE_WORLD = AxisArea(((0, AXIS_STEPS - 1),), (0, (1 << AXIS_BITS) - 1))
