"""Memory: giving back what a process holds and does not need, where the system knows such a thing; and keeping what lasts.

Compiled kernels bring a compiler of 90 MiB, polars and pyarrow bring 80: starting touches most of their pages, working few.
"""

import ctypes
import gc
from contextlib import suppress
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
# From Linux's mman.h: such pages of a file are read again when they are needed, from the page cache.
_MADV_DONTNEED: Final = 4


def keep_lasting() -> None:
    """Say that what is here now stays: collections need not look through a quarter of a million lasting objects again and again,
    0.1 s each time, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def give_back_free() -> None:
    """Give back what was freed; glibc keeps it for what comes next otherwise."""
    with suppress(OSError, AttributeError):  # other C libraries keep nothing
        ctypes.CDLL(None).malloc_trim(0)


def give_back_code() -> None:
    """Give back the code of libraries, which only starting needed all of."""
    with suppress(OSError, AttributeError):
        advise = ctypes.CDLL(None).madvise
        for line in _MAPS.read_text().splitlines():
            span, mode, _, _, inode = line.split(maxsplit=5)[:5]
            # Code of files, which nobody writes; what kernels were compiled to is in no file.
            if mode == "r-xp" and inode != "0":
                first, last = (int(address, 16) for address in span.split("-"))
                advise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _MADV_DONTNEED)
