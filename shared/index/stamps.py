"""Stamps: hour, region and datasource of a trip as one integer. Compiled into kernels.

A stamp is hour << 32 | region << 16 | datasource. Hours count from 0001-01-01 0 h, a Monday. Functions take numbers or arrays, in
kernels and outside.
"""

from typing import Any, Final

from numba.extending import register_jitable

_HOUR_SHIFT: Final = 32
_REGION_SHIFT: Final = 16
_MASK: Final = 0xFFFF
_PAIR_MASK: Final = 0xFFFF_FFFF

ID_LIMIT: Final = 1 << 16
"""Greater than any id of a region or datasource."""


@register_jitable
def make_stamp(hour: Any, region: Any, datasource: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Make a stamp."""
    return hour << _HOUR_SHIFT | region << _REGION_SHIFT | datasource


@register_jitable
def get_hour(stamp: Any) -> Any:  # noqa: ANN401
    """Hours since 0001-01-01 0 h."""
    return stamp >> _HOUR_SHIFT


@register_jitable
def get_region(stamp: Any) -> Any:  # noqa: ANN401
    """The region's id."""
    return stamp >> _REGION_SHIFT & _MASK


@register_jitable
def get_datasource(stamp: Any) -> Any:  # noqa: ANN401
    """The datasource's id."""
    return stamp & _MASK


@register_jitable
def get_pair(stamp: Any) -> Any:  # noqa: ANN401
    """Region and datasource: region << 16 | datasource."""
    return stamp & _PAIR_MASK
