"""Kernel compiler: numba with a cache folder for each state of the kernels' sources.

numba itself checks the file of a kernel only, not the files of the kernels that it calls: after a change there it would run old
code.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

_ROOT: Final = Path(__file__).resolve().parents[2]
# What a file has that makes kernels, or numbers that are compiled into them.
_MARKS: Final = ("compile_kernel", "compile_part", "Compiled into kernels")
_PREFIX: Final = "kernels-"


@cache
def use_cache() -> Path:
    """Set numba's cache: beside the sources, or in NUMBA_CACHE_DIR. To be called before the first kernel is made."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = prepare_cache(Path(given) if given else _ROOT / "shared" / "__pycache__", list_sources())
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return folder


def list_sources() -> list[Path]:
    """List the files that kernels are compiled from."""
    found = [path for folder in ("shared", "loader/formats") for path in (_ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if any(mark in path.read_text(encoding="utf-8") for mark in _MARKS))


def prepare_cache(base: Path, sources: Iterable[Path]) -> Path:
    """Name the folder of these sources, and remove those of other states. If base is not writable, numba selects another."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = base / f"{_PREFIX}{digest}"
    if not folder.exists():
        for old in base.glob(f"{_PREFIX}*"):
            shutil.rmtree(old, ignore_errors=True)
    return folder


Function = TypeVar("Function", bound=Callable[..., Any])


def compile_kernel(function: Function) -> Function:
    """Compile a function at its first call; it runs without the interpreter lock."""
    use_cache()
    return cast("Function", numba.njit(cache=True, nogil=True)(function))
