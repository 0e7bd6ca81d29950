"""Kernel compiler: numba with a cache folder for each state of the kernels' sources.

numba itself checks the file of a kernel only, not the files of the kernels that it calls: after a change there it would run old
code.

Images bring their kernels along, compiled for a kind of processors (NUMBA_CPU_NAME). numba refuses a cache that it may not write
to, so a process that finds one makes a folder of links to it.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite.binding  # type: ignore[import-untyped]
import numba

_ROOT: Final = Path(__file__).resolve().parents[2]
# What a file has that makes kernels, or numbers that are compiled into them.
_MARKS: Final = ("compile_kernel", "compile_part", "Compiled into kernels")
_PREFIX: Final = "kernels-"
# What LLVM's x86-64-v3 needs: every server processor since 2015 has it, some virtual machines hide it.
_NEEDED: Final = {"x86-64-v3": ("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")}


@cache
def use_cache() -> Path:
    """Set numba's cache: beside the sources, or in NUMBA_CACHE_DIR. To be called before the first kernel is made."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = prepare_cache(Path(given) if given else _ROOT / "shared" / "__pycache__", list_sources())
    if folder.exists() and not os.access(folder, os.W_OK):
        folder = link_cache(folder, Path.home() / ".cache" / "tripdeck")
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    if not can_run(numba.config.CPU_NAME, llvmlite.binding.get_host_cpu_features()):  # type: ignore[attr-defined]
        numba.config.CPU_NAME = numba.config.CPU_FEATURES = None  # type: ignore[attr-defined]
    return folder


def can_run(target: str | None, features: Mapping[str, bool]) -> bool:
    """Say whether a processor with these features runs what is compiled for LLVM's target; True for targets not known here."""
    return all(features.get(name, False) for name in _NEEDED.get(target or "", ()))


def link_cache(cache: Path, base: Path) -> Path:
    """Make a writable folder in base with a link to each file of the cache, for all processes of this user; returns it."""
    linked = base / cache.name
    if not linked.exists():
        draft = base / f".{cache.name}.{secrets.token_hex(4)}"
        for path in cache.rglob("*"):
            if path.is_file():
                link = draft / path.relative_to(cache)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
        try:
            draft.rename(linked)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return linked


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
