"""Grid tree: the edges of a shape in a tree of grids, so that a position is compared with the few edges near it.

    tree = make_tree(edges, (x_low, x_high), (y_low, y_high))
    filter_steps(tree, x, y, (0, 0), inside)

Coordinates are axis steps, which are compared exactly. A position on an edge lies inside; any other lies inside where a ray
from it crosses an odd number of edges. A cell without edges lies outside or inside as a whole. A leaf is a cell with few edges;
it has the parity of its lowest corner. The parity of another position in it follows from the edges that the path from the
corner crosses: up, then to the right. So that no path meets an end of an edge, positions are moved by e > 0 to the right and by
d > 0 up, both smaller than any number that occurs, and d much smaller than e.
"""

from typing import Final

import numpy as np

from shared.domain.area import CUT, INSIDE, OUTSIDE, GridTree
from shared.domain.position import AXIS_STEPS
from shared.kernels.compiler import compile_kernel
from shared.kernels.grid_edges import Edge, crosses_right, crosses_up, get_edge, is_left, is_on, touches
from shared.platform.arrays import Flags, Numbers

# Bits of the cells an axis: of the first grid, and of grids of cells with many edges. The first grid takes 256 KiB, which
# fits in the core's own cache.
_ROOT_BITS: Final = 8
_NODE_BITS: Final = 3
# Fewer edges a leaf save little, as few positions are in leaves, and their grids take longer to make.
_LEAF_EDGES: Final = 32
# Some tenths of a second; then leaves have more edges.
_MOST_NODES: Final = 4_000
# Pairs of a cell and an edge in it. Only edges that cross most of the shape, thousands of them, come near: then leaves have more.
_MOST_PAIRS: Final = 4_000_000
_CELL_OUTSIDE: Final = -2
_CELL_INSIDE: Final = -1


@compile_kernel
def _get_node(tree: GridTree, number: int) -> tuple[int, int, int, int, int, int]:
    """Lowest x and y, bits of cells on both axes, columns, and the first entry."""
    nodes = tree.nodes
    return nodes[number, 0], nodes[number, 1], nodes[number, 2], nodes[number, 3], nodes[number, 4], nodes[number, 5]


@compile_kernel
def _get_entry(tree: GridTree, at: int) -> int:
    return int(tree.entries[at])


@compile_kernel
def _find_columns(edge: Edge, limits: tuple[int, int, int, int], row: int) -> tuple[int, int]:
    """The first and last column of a row of a grid that an edge may touch. limits: x, y and bits of cells."""
    ax, ay, bx, by = edge
    x, y, x_bits, y_bits = limits
    low, high = float(min(ax, bx)), float(max(ax, bx))
    if by > ay:
        slope = float(bx - ax) / float(by - ay)
        bottom = y + (row << y_bits)
        first = ax + slope * max(0.0, float(bottom - ay))
        last = ax + slope * min(float(by - ay), float(bottom + (1 << y_bits) - ay))
        low, high = max(low, min(first, last) - 1.0), min(high, max(first, last) + 1.0)
    return (int(np.floor(low)) - x - 1) >> x_bits, (int(np.ceil(high)) - x + 1) >> x_bits


@compile_kernel
def _list_touched(edge: Edge, limits: tuple[int, int, int, int], size: tuple[int, int], touched: Numbers) -> int:
    """List the cells of a grid that an edge may touch; returns how many. size: columns and rows."""
    x, y, x_bits, y_bits = limits
    count = 0
    for row in range(max(0, (edge[1] - y - 1) >> y_bits), min(size[1] - 1, (edge[3] - y) >> y_bits) + 1):
        first, last = _find_columns(edge, limits, row)
        for column in range(max(0, first), min(size[0] - 1, last) + 1):
            if touches(edge, x + (column << x_bits), y + (row << y_bits), 1 << x_bits, 1 << y_bits):
                touched[count] = row * size[0] + column
                count += 1
    return count


@compile_kernel
def _fill_grid(
    edges: Numbers, numbers: Numbers, limits: tuple[int, int, int, int], size: tuple[int, int]
) -> tuple[Numbers, Numbers]:
    """List the edges of each cell of a grid; returns offsets, and those edges. numbers: of edges that may touch the grid."""
    cells = size[0] * size[1]
    touched, offsets = np.empty(cells, np.int64), np.zeros(cells + 1, np.int64)
    for number in numbers:
        for at in range(_list_touched(get_edge(edges, number), limits, size, touched)):
            offsets[touched[at] + 1] += 1
    offsets = np.cumsum(offsets)
    found, filled = np.empty(offsets[-1], np.int64), offsets.copy()
    for number in numbers:
        for at in range(_list_touched(get_edge(edges, number), limits, size, touched)):
            found[filled[touched[at]]] = number
            filled[touched[at]] += 1
    return offsets, found


@compile_kernel
def _find_parities(
    edges: Numbers, cells: tuple[Numbers, Numbers], limits: tuple[int, int, int, int], size: tuple[int, int], parity: int
) -> Numbers:
    """Parity of the lowest corner of each cell. cells: see _fill_grid; parity: that of the grid's lowest corner."""
    offsets, found = cells
    x, y, x_bits, y_bits = limits
    width, height = 1 << x_bits, 1 << y_bits
    parities = np.empty(len(offsets) - 1, np.int64)
    for cell in range(len(parities)):
        left, bottom = x + (cell % size[0] << x_bits), y + (cell // size[0] << y_bits)
        numbers = found[offsets[cell] : offsets[cell + 1]]
        if cell % size[0] == 0:
            parities[cell] = parity
            for number in numbers:
                parity ^= crosses_up(get_edge(edges, number), left, bottom, bottom + height)
        if cell % size[0] < size[0] - 1:
            crossed = parities[cell]
            for number in numbers:
                crossed ^= crosses_right(get_edge(edges, number), left, left + width, bottom)
            parities[cell + 1] = crossed
    return parities


@compile_kernel
def _find_parity(edges: Numbers, x: int, y: int) -> int:
    """Parity of the edges right of (x + e, y + d)."""
    parity = 0
    for number in range(len(edges)):
        edge = get_edge(edges, number)
        if edge[1] <= y < edge[3]:
            parity ^= is_left(edge, x, y)
    return parity


def make_tree(edges: Numbers, x_range: tuple[int, int], y_range: tuple[int, int], *, bits: int | None = None) -> GridTree:
    """Make the tree of edges in a rectangle, ends included. bits: of the cells an axis of the first grid (None: 8).

    Shape: n edges of ax, ay, bx, by, with ay <= by.
    """
    x_bits, y_bits = (max(0, (high - low).bit_length() - (bits or _ROOT_BITS)) for low, high in (x_range, y_range))
    lengths = np.abs(edges[:, 2:] - edges[:, :2])
    while int((lengths[:, 0] >> x_bits).sum() + (lengths[:, 1] >> y_bits).sum()) + 2 * len(edges) > _MOST_PAIRS:
        x_bits, y_bits = x_bits + 1, y_bits + 1
    return _TreeMaker(edges).make((x_range[0], y_range[0], x_bits, y_bits), (x_range[1], y_range[1]))


_Grid = tuple[tuple[int, int, int, int], tuple[int, int], Numbers, int, Numbers]
"""Limits and size, edges, parity of the lowest corner, and the entry of the cell that it stands for, if there is one."""


class _TreeMaker:
    """Makes one tree, grid by grid."""

    def __init__(self, edges: Numbers) -> None:
        self._edges = edges
        self._nodes: list[tuple[int, ...]] = []
        self._entries: list[Numbers] = []
        self._entry_count = 0
        self._leaf_sizes: list[Numbers] = []
        self._leaf_edges: list[Numbers] = []
        self._leaf_parity: list[Numbers] = []
        self._leaf_count = 0
        self._pairs = 0
        self._promised = 1

    def make(self, limits: tuple[int, int, int, int], last: tuple[int, int]) -> GridTree:
        """Make the tree. limits: x, y and bits of cells of the first grid; last: its last x and y."""
        columns, rows = ((last[axis] - limits[axis] >> limits[2 + axis]) + 1 for axis in range(2))
        parity = _find_parity(self._edges, limits[0], limits[1])
        waiting: list[_Grid] = [(limits, (columns, rows), np.arange(len(self._edges)), parity, np.empty(0, np.int64))]
        for grid in waiting:
            waiting += self._add(*grid)
        root = self._entries[0].reshape(rows, columns)
        return GridTree(
            np.array(self._nodes, np.int64),
            np.concatenate(self._entries).astype(np.int32),
            np.cumsum(np.concatenate([[0], *self._leaf_sizes])).astype(np.int32),
            np.concatenate([[0], *self._leaf_edges])[1:].astype(np.int32),
            np.concatenate([[0], *self._leaf_parity])[1:].astype(np.int8),
            self._edges,
            np.stack([_sum_up(root == entry) for entry in (_CELL_OUTSIDE, _CELL_INSIDE)]),
        )

    def _add(
        self, limits: tuple[int, int, int, int], size: tuple[int, int], numbers: Numbers, parity: int, entry: Numbers
    ) -> list[_Grid]:
        """Add a grid, whose number becomes the entry of its cell; returns the grids of cells with many edges."""
        x, y, x_bits, y_bits = limits
        entry[:] = 2 * len(self._nodes) + 1
        first = self._entry_count
        self._nodes.append((x, y, x_bits, y_bits, size[0], first))
        offsets, found = _fill_grid(self._edges, numbers, limits, size)
        parities = _find_parities(self._edges, (offsets, found), limits, size, parity)
        counts = np.diff(offsets)
        self._pairs += len(found)
        entries = np.where(parities > 0, _CELL_INSIDE, _CELL_OUTSIDE)
        can_split = x_bits + y_bits > 0 and self._pairs < _MOST_PAIRS
        splits = np.flatnonzero(counts > _LEAF_EDGES)[: (_MOST_NODES - self._promised) * can_split]
        self._promised += len(splits)
        is_leaf = counts > 0
        is_leaf[splits] = False
        leaves = np.flatnonzero(is_leaf)
        entries[leaves] = 2 * (self._leaf_count + np.arange(len(leaves)))
        self._leaf_sizes.append(counts[leaves])
        self._leaf_edges.append(found[np.repeat(is_leaf, counts)])
        self._leaf_parity.append(parities[leaves])
        self._leaf_count += len(leaves)
        self._entries.append(entries)
        self._entry_count += len(entries)
        bits = max(0, x_bits - _NODE_BITS), max(0, y_bits - _NODE_BITS)
        inner = 1 << x_bits - bits[0], 1 << y_bits - bits[1]
        grids = []
        for cell in splits.tolist():
            row, column = divmod(cell, size[0])
            corner = (x + (column << x_bits), y + (row << y_bits), *bits)
            grids.append((corner, inner, found[offsets[cell] : offsets[cell + 1]], int(parities[cell]), entries[cell : cell + 1]))
        return grids


def _sum_up(flags: Flags) -> Numbers:
    """Number of flags in all rows before each, and all columns before each. Shape: rows by columns → one more of each."""
    return np.pad(flags.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0))).astype(np.int32)


@compile_kernel
def _contains_in_leaf(tree: GridTree, leaf: int, corner: tuple[int, int], position: tuple[int, int]) -> bool:
    parity = int(tree.leaf_parity[leaf])
    left, bottom = corner
    x, y = position
    for at in range(tree.leaf_offsets[leaf], tree.leaf_offsets[leaf + 1]):
        edge = get_edge(tree.edges, tree.leaf_edges[at])
        if is_on(edge, x, y):
            return True
        parity ^= crosses_up(edge, left, bottom, y) ^ crosses_right(edge, left, x, y)
    return parity > 0


@compile_kernel
def contains_in_grid(tree: GridTree, number: int, x: int, y: int) -> bool:
    """Whether a position in a grid of the tree lies in the shape; x on the tree's side of the antimeridian."""
    while True:
        left, bottom, x_bits, y_bits, columns, first = _get_node(tree, number)
        column, row = (x - left) >> x_bits, (y - bottom) >> y_bits
        entry = _get_entry(tree, first + row * columns + column)
        if entry < 0:
            return entry == _CELL_INSIDE
        if entry & 1 == 0:
            corner = left + (column << x_bits), bottom + (row << y_bits)
            return _contains_in_leaf(tree, entry >> 1, corner, (x, y))
        number = entry >> 1


@compile_kernel
def filter_steps(tree: GridTree, x: Numbers, y: Numbers, bases: tuple[int, int], inside: Flags) -> None:
    """Clear the flags of positions outside a shape; those that are set lie in the tree's rectangle.

    bases: what is added to x and y, which then lie between 0 and 2^31 - 1. Shape: n each.
    """
    left, bottom, x_bits, y_bits, columns, _ = _get_node(tree, 0)
    entries = tree.entries
    x_first, y_first = left - bases[0], bottom - bases[1]
    for i in range(len(inside)):
        if inside[i]:
            column, row = (x[i] - x_first + AXIS_STEPS * (x[i] < x_first)) >> x_bits, (y[i] - y_first) >> y_bits
            entry = entries[row * columns + column]
            if entry == _CELL_OUTSIDE:
                inside[i] = False
            elif entry != _CELL_INSIDE:
                at = x[i] + bases[0]
                inside[i] = contains_in_grid(tree, 0, at + AXIS_STEPS * (at < left), y[i] + bases[1])


@compile_kernel
def _classify_cells(tree: GridTree, number: int, rectangle: tuple[int, int, int, int], cells: tuple[int, int, int, int]) -> int:
    """How a rectangle lies that has parts of some cells of a grid. CUT also of parts of cells with many edges."""
    left, bottom, x_bits, y_bits, columns, first = _get_node(tree, number)
    x_low, x_high, y_low, y_high = rectangle
    known = -1
    for row in range(cells[2], cells[3] + 1):
        for column in range(cells[0], cells[1] + 1):
            entry = _get_entry(tree, first + row * columns + column)
            if entry >= 0 and entry & 1:
                return CUT
            corner = left + (column << x_bits), bottom + (row << y_bits)
            is_inside = entry == _CELL_INSIDE
            if entry >= 0:
                x, y = max(x_low, corner[0]), max(y_low, corner[1])
                width, height = min(x_high, corner[0] + (1 << x_bits) - 1) - x, min(y_high, corner[1] + (1 << y_bits) - 1) - y
                for at in range(tree.leaf_offsets[entry >> 1], tree.leaf_offsets[(entry >> 1) + 1]):
                    if touches(get_edge(tree.edges, tree.leaf_edges[at]), x, y, width, height):
                        return CUT
                is_inside = _contains_in_leaf(tree, entry >> 1, corner, (x, y))
            found = INSIDE if is_inside else OUTSIDE
            if known >= 0 and known != found:
                return CUT
            known = found
    return known


# Of more cells of the first grid only the whole ones are looked at.
_MOST_CELLS: Final = 4


@compile_kernel
def _classify_inner(tree: GridTree, x_low: int, x_high: int, y_low: int, y_high: int) -> int:
    """How a rectangle within that of the tree lies."""
    number = 0
    while True:
        left, bottom, x_bits, y_bits, columns, first = _get_node(tree, number)
        from_column, to_column = (x_low - left) >> x_bits, (x_high - left) >> x_bits
        from_row, to_row = (y_low - bottom) >> y_bits, (y_high - bottom) >> y_bits
        if from_column == to_column and from_row == to_row:
            entry = _get_entry(tree, first + from_row * columns + from_column)
            if entry >= 0 and entry & 1:
                number = entry >> 1
                continue
        break
    cells = (to_column - from_column + 1) * (to_row - from_row + 1)
    if number == 0 and cells > _MOST_CELLS:
        for kind, found in ((0, OUTSIDE), (1, INSIDE)):
            sums = tree.sums[kind]
            count = sums[to_row + 1, to_column + 1] - sums[from_row, to_column + 1]
            count -= sums[to_row + 1, from_column] - sums[from_row, from_column]
            if count == cells:
                return found
        return CUT
    return _classify_cells(tree, number, (x_low, x_high, y_low, y_high), (from_column, to_column, from_row, to_row))


@compile_kernel
def classify_rectangle(tree: GridTree, limits: tuple[int, int, int, int], rectangle: tuple[int, int, int, int]) -> int:
    """How a rectangle lies to a shape: OUTSIDE, CUT or INSIDE. CUT also of others that the tree can't tell quickly.

    limits: lowest and highest x and y of the tree's rectangle; rectangle: the same, x from 0 to 2^31 - 1.
    """
    x_low, x_high, y_low, y_high = rectangle
    known = -1
    # Positions west of the tree's rectangle may lie in it, beyond the antimeridian.
    for west, east in ((max(x_low, limits[0]), x_high), (x_low + AXIS_STEPS, min(x_high, limits[0] - 1) + AXIS_STEPS)):
        if west > east:
            continue
        if west > limits[1] or y_low > limits[3] or y_high < limits[2]:
            found = OUTSIDE
        else:
            is_within = east <= limits[1] and y_low >= limits[2] and y_high <= limits[3]
            found = _classify_inner(tree, west, min(east, limits[1]), max(y_low, limits[2]), min(y_high, limits[3]))
            if found == INSIDE and not is_within:
                found = CUT
        if known >= 0 and known != found:
            return CUT
        known = found
    return known
