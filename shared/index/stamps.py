"""Stamps: minute, region and datasource of a trip as one integer. Compiled into kernels.

A stamp is minute << 30 | region << 15 | datasource. Minutes count from 0001-01-01 0 h, a Monday; the year 9999 takes 33 bits.
Functions take numbers or arrays, in kernels and outside.
"""

from typing import Any, Final

from numba.extending import register_jitable

_MINUTE_SHIFT: Final = 30
_REGION_SHIFT: Final = 15
_MASK: Final = 0x7FFF
_PAIR_MASK: Final = 0x3FFF_FFFF

ID_LIMIT: Final = 1 << 15
"""Greater than any id of a region or datasource."""


@register_jitable
def make_stamp(minute: Any, region: Any, datasource: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Make a stamp."""
    return minute << _MINUTE_SHIFT | region << _REGION_SHIFT | datasource


@register_jitable
def get_hour(stamp: Any) -> Any:  # noqa: ANN401
    """Hours since 0001-01-01 0 h."""
    return (stamp >> _MINUTE_SHIFT) // 60


@register_jitable
def get_minute(stamp: Any) -> Any:  # noqa: ANN401
    """Minutes of the hour."""
    return (stamp >> _MINUTE_SHIFT) % 60


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
    """Region and datasource: region << 15 | datasource."""
    return stamp & _PAIR_MASK
