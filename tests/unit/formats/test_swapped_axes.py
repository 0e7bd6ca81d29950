"""Longitude and latitude exchanged: found in the cities of the world, and not where trips are what they seem."""

import pytest

from loader.formats import LoadOptions, detect_format
from shared.platform.errors import FileFormatError

# Latitude, longitude.
CITIES = {
    "San Francisco": (37.77, -122.41),
    "Los Angeles": (34.05, -118.24),
    "Tokyo": (35.68, 139.76),
    "Sydney": (-33.87, 151.2),
    "Seoul": (37.57, 126.98),
    "Shanghai": (31.23, 121.47),
    "Taipei": (25.04, 121.56),
    "Singapore": (1.29, 103.85),
    "Mexico City": (19.43, -99.13),
    "Athens": (37.98, 23.72),
    "Bucharest": (44.43, 26.1),
    "Tehran": (35.69, 51.39),
    "Istanbul": (41.01, 28.95),
    "Kyiv": (50.45, 30.52),
    "Madrid": (40.41, -3.7),
    "Chicago": (41.88, -87.63),
    "Buenos Aires": (-34.6, -58.38),
    "Helsinki": (60.17, 24.94),
    "Lima": (-12.05, -77.04),
}


def detect(latitude: float, longitude: float, names: str = "start_lat,start_lng,end_lat,end_lng", **options: str) -> None:
    rows = "".join(
        f"2024-03-{19 + row} 08:12:00,{latitude + row / 100},{longitude},{latitude},{longitude + row / 100}\n" for row in range(4)
    )
    data = f"started_at,{names}\n{rows}".encode()
    detect_format(data, file_name="file", options=LoadOptions(roles=options), is_whole=True)


@pytest.mark.parametrize("city", CITIES)
def test_cities_under_exchanged_names(city: str) -> None:
    latitude, longitude = CITIES[city]
    detect(latitude, longitude)
    with pytest.raises(FileFormatError, match="look swapped") as caught:
        detect(longitude, latitude)
    assert caught.value.error_code == "swapped_coordinates"
    for choice in caught.value.facts["choices"]:  # type: ignore[attr-defined]
        detect(longitude, latitude, **choice["options"]["roles"])


def test_small_towns_and_the_sea_are_no_mistakes() -> None:
    for latitude, longitude in ((46.6, 8.6), (64.15, -21.94), (-54.8, -68.3), (35.0, -40.0), (-33.0, 25.0)):
        detect(latitude, longitude)
