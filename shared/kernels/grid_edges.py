"""Edges of shapes: exact comparisons of positions on the grid with an edge.

Coordinates are axis steps. An edge is no longer than 2^31 steps on either axis, and products are compared only inside its bounds:
they fit in 64 bits. e and d: see grid_tree.
"""

from shared.kernels.compiler import compile_kernel
from shared.platform.arrays import Numbers

Edge = tuple[int, int, int, int]
"""ax, ay, bx, by, with ay <= by."""


@compile_kernel
def get_edge(edges: Numbers, number: int) -> Edge:
    """The edge of a number. Shape: n edges by 4."""
    return edges[number, 0], edges[number, 1], edges[number, 2], edges[number, 3]


@compile_kernel
def is_left(edge: Edge, x: int, y: int) -> bool:
    """Whether (x + e, y + d) lies left of an edge, of which y + d meets the height: ay <= y < by."""
    ax, ay, bx, by = edge
    if x < min(ax, bx):
        return True
    if x >= max(ax, bx):
        return False
    return (bx - ax) * (y - ay) > (x - ax) * (by - ay)


@compile_kernel
def is_below(edge: Edge, x: int, y: int) -> bool:
    """Whether (x + e, y + d) lies below an edge, of which x + e meets the width."""
    ax, ay, bx, by = edge
    if y < ay:
        return True
    if y >= by:
        return False
    if ax > bx:
        ax, ay, bx, by = bx, by, ax, ay
    height, rise = (by - ay) * (x - ax), (y - ay) * (bx - ax)
    return height > rise or (height == rise and by > ay)


@compile_kernel
def is_on(edge: Edge, x: int, y: int) -> bool:
    """Whether a position lies on an edge."""
    ax, ay, bx, by = edge
    if y < ay or y > by or x < min(ax, bx) or x > max(ax, bx):
        return False
    return (bx - ax) * (y - ay) == (x - ax) * (by - ay)


@compile_kernel
def crosses_up(edge: Edge, x: int, y: int, to_y: int) -> bool:
    """Whether the path from (x, y) up to (x, to_y) crosses an edge."""
    if not min(edge[0], edge[2]) <= x < max(edge[0], edge[2]):
        return False
    return is_below(edge, x, y) != is_below(edge, x, to_y)


@compile_kernel
def crosses_right(edge: Edge, x: int, to_x: int, y: int) -> bool:
    """Whether the path from (x, y) to (to_x, y) crosses an edge."""
    if not edge[1] <= y < edge[3]:
        return False
    return is_left(edge, x, y) != is_left(edge, to_x, y)


@compile_kernel
def touches(edge: Edge, x: int, y: int, width: int, height: int) -> bool:
    """Whether an edge may touch a rectangle, its borders included. True also of edges that nearly do."""
    ax, ay, bx, by = edge
    if max(ax, bx) < x or min(ax, bx) > x + width or by < y or ay > y + height:
        return False
    dx, dy = float(bx - ax), float(by - ay)
    is_left, is_right = True, True
    for corner in range(4):
        across = dx * float(y + height * (corner >> 1) - ay)
        along = dy * float(x + width * (corner & 1) - ax)
        error = (abs(across) + abs(along)) * 1e-15
        is_left &= across - along > error
        is_right &= along - across > error
    return not (is_left or is_right)
