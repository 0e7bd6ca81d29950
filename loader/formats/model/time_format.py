"""How text and numbers become times. Compiled into kernels."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

NumberKind = Literal[
    "digits",
    "digits_yy",
    "digits_dmy",
    "digits_mdy",
    "digits_dmyy",
    "digits_mdyy",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "epoch_min",
    "epoch_2001_s",
    "epoch_2001_ms",
    "epoch_2001_us",
    "epoch_2001_ns",
    "epoch_1960_s",
    "epoch_1960_ms",
    "gps_s",
    "gps_ms",
    "ticks",
    "filetime",
    "webkit",
    "excel_1900",
    "excel_1904",
    "julian",
]


NUMBER_KINDS: Final[tuple[NumberKind, ...]] = get_args(NumberKind)


DateOrder = Literal["ymd", "mdy", "dmy"]


TimeForm = Literal["text"] | NumberKind


@dataclass(frozen=True)
class TimeFormat:
    """How text becomes a time.

    date_order: yymd is year first with two digits; None while the values seen so far fit more than one order.
    clock: how a column of clocks beside one of dates is written (detection/clocks.py).
    """

    kind: TimeForm | Literal["unknown"] = "text"
    date_order: DateOrder | Literal["yymd"] | None = "ymd"
    has_zone: bool = False
    example: str = ""
    clock: str = "clock"


Microseconds = npt.NDArray[np.int64]


MISSING = np.iinfo(np.int64).min  # numpy's NaT
