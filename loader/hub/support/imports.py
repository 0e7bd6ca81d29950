"""Imports that take seconds, one at a time: two threads that import numba at once may each see half-initialised modules."""

import importlib
import threading
from types import ModuleType
from typing import Final

_LOCK: Final = threading.Lock()


def import_slow(name: str) -> ModuleType:
    """Import a module, after any other slow import has ended."""
    with _LOCK:
        return importlib.import_module(name)
