"""Warming up: what the first file would otherwise wait for."""

from loader.formats.detector import detect_format
from loader.formats.model.options import LoadOptions
from loader.formats.text.kernels import compile_kernels
from shared.gazetteer.cities import find_city

_TABLE = b"start_lon,start_lat,end_lon,end_lat,start_time\n" + b"7.68,45.07,7.66,45.05,2018-05-28 09:03:40\n" * 2


def warm_up() -> None:
    """Load the compiled kernels, or compile them (10 s) where they couldn't be kept, as in a container; load the cities, and what
    detection needs (0.06 s).
    """
    compile_kernels()
    find_city(0.0, 0.0)
    detect_format(_TABLE, file_name="table.csv", options=LoadOptions(), is_whole=True)
