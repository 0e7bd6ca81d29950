"""Warming up: what the first file would otherwise wait for."""

from loader.formats.gazetteer import find_city
from loader.formats.kernels import compile_kernels


def warm_up() -> None:
    """Load the compiled kernels, or compile them (10 s) where they couldn't be kept, as in a container; load the cities."""
    compile_kernels()
    find_city(0.0, 0.0)
