"""Coordinates: longitude and latitude of one end of every row."""

from dataclasses import dataclass

from loader.formats.text.numbers import Floats


@dataclass(frozen=True)
class Coordinates:
    """Longitude and latitude of one end of every row. Units: degrees. CRS: WGS 84. NaN where unreadable."""

    longitude: Floats
    latitude: Floats
