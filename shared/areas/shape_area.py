"""Shape areas: polygons on the grid of positions, with the interface of domain/area.GridArea."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.area import CUT, INSIDE, AreaLimits, AxisArea, Bounds, GridTree
from shared.domain.position import AXIS_STEPS, POSITION_BITS, Positions, gather_many, step_bits
from shared.kernels.compiler import compile_kernel
from shared.kernels.grid_tree import classify_rectangle, filter_steps, make_tree
from shared.kernels.morton import split_axes
from shared.platform.arrays import Flags, Numbers

# Cells along the edge of a shape that SQL tells from others: with more of them fewer positions are compared in this process, and
# each trip takes longer in the database.
_SQL_CELLS: Final = 2_000


@dataclass(frozen=True, eq=False)
class ShapeArea:
    """A shape. box: the boxes around it; rectangle: lowest and highest x and y of its tree."""

    tree: GridTree
    box: AxisArea
    rectangle: tuple[int, int, int, int]

    @property
    def is_empty(self) -> bool:
        """False: the ends of edges lie in it."""
        return False

    def limits(self) -> AreaLimits:
        """The area as kernels take it."""
        return self.box.limits()._replace(tree=self.tree)

    def bounds(self) -> list[int]:
        """Ten integers for position_in_area: the boxes around the shape."""
        return self.box.bounds()

    def contains(self, positions: Positions) -> Flags:
        """Which positions lie in the shape."""
        inside = self.box.contains(positions)
        filter_steps(self.tree, *split_axes(positions), (0, 0), inside)
        return inside

    def classify(self, bounds: Bounds) -> npt.NDArray[np.int8]:
        """How each rectangle lies to the shape. CUT: all that an edge comes near."""
        return _classify(self.tree, self.rectangle, bounds)

    def find_cut_axes(self, bounds: Bounds) -> tuple[Flags, Flags]:
        """Both axes, always."""
        both = np.ones(len(bounds[0]), np.bool_)
        return both, both

    def find_position_range(self) -> tuple[int, int]:
        """The lowest and highest position of the boxes around it."""
        return self.box.find_position_range()

    def inner(self, shift: int) -> "InnerArea":
        """The whole cells that no edge comes near."""
        return InnerArea(self, shift)

    def cut_ranges(self) -> list[int]:
        """Ranges of the cells that edges cut."""
        return _join_ranges(self._cells[1])

    def ranges(self, positions: Positions) -> list[int]:
        """Ranges of the cells inside, and of each position that lies in the shape."""
        found = np.unique(positions[self.contains(positions)])
        return _join_ranges(np.concatenate([self._cells[0], np.stack([found, found + 1], axis=1)]))

    @property
    def _cells(self) -> tuple[Numbers, Numbers]:
        """Cells inside, and cells that edges cut. Shape: n by 2: first position, and first later position."""
        inside = []
        shift, cells = POSITION_BITS, np.zeros(1, np.int64)
        while True:
            found = self.classify(list_cell_bounds(cells << shift, shift))
            ranges = np.stack([cells << shift, cells + 1 << shift], axis=1)
            inside.append(ranges[found == INSIDE])
            cut = cells[found == CUT]
            if shift == 0 or len(cut) > _SQL_CELLS:
                return np.concatenate(inside), ranges[found == CUT]
            shift -= 2
            cells = (cut[:, None] << 2 | np.arange(4)).ravel()


@dataclass(frozen=True, eq=False)
class InnerArea:
    """The part of a shape that is made of whole cells of `position >> shift`."""

    area: ShapeArea
    shift: int

    @property
    def is_empty(self) -> bool:
        """Whether the boxes around it hold no whole cell."""
        return self.area.box.inner(self.shift).is_empty

    def contains(self, positions: Positions) -> Flags:
        """Which positions lie in such a cell."""
        corners = positions >> self.shift << self.shift
        inside: Flags = self.area.classify(list_cell_bounds(corners, self.shift)) == INSIDE
        return inside

    def classify(self, bounds: Bounds) -> npt.NDArray[np.int8]:
        """How each rectangle lies; CUT: all that the shape's edges come near."""
        x_low, x_high, y_low, y_high = bounds
        x_bits, y_bits = step_bits(self.shift)
        whole = x_low >> x_bits << x_bits, x_high | (1 << x_bits) - 1, y_low >> y_bits << y_bits, y_high | (1 << y_bits) - 1
        return self.area.classify(whole)

    def find_position_range(self) -> tuple[int, int]:
        """The lowest and highest position of the whole cells in the boxes around it."""
        return self.area.box.inner(self.shift).find_position_range()


def list_cell_bounds(corners: Positions, shift: int) -> Bounds:
    """Bounds of cells of `position >> shift`, given their lowest positions. Shape: n → n each."""
    x_bits, y_bits = step_bits(shift)
    x, y = gather_many(corners >> 1), gather_many(corners)
    return x, x + (1 << x_bits) - 1, y, y + (1 << y_bits) - 1


def make_shape_area(edges: Numbers, rectangle: tuple[int, int, int, int], *, bits: int | None = None) -> ShapeArea:
    """Make the area of edges. rectangle: lowest x, below 2^31, highest x, which may reach beyond 2^31, lowest and highest y;
    bits: see make_tree.

    Shape: n edges of ax, ay, bx, by, with ay <= by.
    """
    x_low, x_high, y_low, y_high = rectangle
    x_ranges = [(x_low, min(x_high, AXIS_STEPS - 1))]
    if x_high >= AXIS_STEPS:
        x_ranges.append((0, min(x_high - AXIS_STEPS, x_low - 1)))
    return ShapeArea(
        make_tree(edges, (x_low, x_high), (y_low, y_high), bits=bits), AxisArea(tuple(x_ranges), (y_low, y_high)), rectangle
    )


def _join_ranges(ranges: Numbers) -> list[int]:
    """Ranges in order; adjacent ones become one. Shape: n disjoint ranges of first and first later position."""
    firsts, lasts = ranges[np.argsort(ranges[:, 0])].T
    is_apart = firsts[1:] != lasts[:-1]
    begins, ends = np.append(True, is_apart)[: len(firsts)], np.append(is_apart, True)[: len(firsts)]
    joined = np.stack([firsts[begins], lasts[ends]], axis=1)
    return joined.ravel().tolist()


@compile_kernel
def _classify(tree: GridTree, rectangle: tuple[int, int, int, int], bounds: Bounds) -> npt.NDArray[np.int8]:
    x_low, x_high, y_low, y_high = bounds
    found = np.empty(len(x_low), np.int8)
    for i in range(len(x_low)):
        found[i] = classify_rectangle(tree, rectangle, (x_low[i], x_high[i], y_low[i], y_high[i]))
    return found
