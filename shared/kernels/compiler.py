"""Kernel cache: where numba keeps compiled kernels, a folder for each state of their sources.

By itself numba looks at the file of the kernel only, not at the files of those that it calls: after a change there it would go
on with the old code of both.
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
    """Have numba keep kernels beside the sources, or where NUMBA_CACHE_DIR says; to be called before the first kernel is made."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = prepare_cache(Path(given) if given else _ROOT / "shared" / "__pycache__", list_sources())
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return folder


def list_sources() -> list[Path]:
    """List the files that kernels are compiled from."""
    found = [path for folder in ("shared", "loader/formats") for path in (_ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if any(mark in path.read_text(encoding="utf-8") for mark in _MARKS))


def prepare_cache(base: Path, sources: Iterable[Path]) -> Path:
    """Name the folder of these sources, and remove those of others. Where base can't be written to, numba finds another place."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = base / f"{_PREFIX}{digest}"
    if not folder.exists():
        for old in base.glob(f"{_PREFIX}*"):
            shutil.rmtree(old, ignore_errors=True)
    return folder


Function = TypeVar("Function", bound=Callable[..., Any])


def compile_kernel(function: Function) -> Function:
    """Have a function compiled when it is first called."""
    use_cache()
    return cast("Function", numba.njit(cache=True, nogil=True)(function))
