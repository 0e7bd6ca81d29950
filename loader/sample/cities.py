"""Made-up cities of generated trips: centre, size, stations and airports, water. streets.py draws their streets from these.

CRS: WGS 84, longitude before latitude. Distances are metres on a plane around the city's centre, good to a few metres in 30 km.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""Shape: n rows of 2, east then north; metres from the city's centre, or degrees."""

_M_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True)
class Hub:
    """A place where many trips begin and end. spread_m: standard deviation of the trip ends along its fronts."""

    longitude: float
    latitude: float
    weight: float
    spread_m: float = 70.0
    kind: Literal["station", "airport", "other"] = "other"


@dataclass(frozen=True)
class Water:
    """A river or lake: a line with a width. Arterials cross it on bridges unless it is wide."""

    line: tuple[tuple[float, float], ...]
    width_m: float


@dataclass(frozen=True)
class City:
    """One region of a generated file.

    share: of the file's trips. street_bearing_deg: of the central grid. bearing_spread_deg: how far districts' grids are turned
    from it. bend_m: how far side streets swing.
    """

    name: str
    share: float
    centre: tuple[float, float]
    radius_m: float
    street_bearing_deg: float
    bearing_spread_deg: float
    bend_m: float
    hubs: tuple[Hub, ...]
    waters: tuple[Water, ...]

    def to_metres(self, degrees: Points) -> Points:
        """Metres from the centre, east and north."""
        metres: Points = (degrees - np.array(self.centre)) * self._scale
        return metres

    def to_degrees(self, metres: Points) -> Points:
        """Longitude and latitude."""
        degrees: Points = metres / self._scale + np.array(self.centre)
        return degrees

    @property
    def _scale(self) -> Points:
        return np.array([_M_PER_DEGREE * np.cos(np.radians(self.centre[1])), _M_PER_DEGREE])


CITIES: Final = (
    City(
        name="Prague",
        share=0.42,
        centre=(14.4248, 50.0835),
        radius_m=8_000,
        street_bearing_deg=18.0,
        bearing_spread_deg=32.0,
        bend_m=70.0,
        hubs=(
            Hub(14.4361, 50.0830, 5, kind="station"),
            Hub(14.4036, 50.0713, 3),
            Hub(14.4404, 50.1090, 3),
            Hub(14.3933, 50.1003, 2.5),
            Hub(14.4909, 50.0318, 2),
            Hub(14.5157, 50.1263, 1.5, 110),
            Hub(14.2911, 50.0537, 1.2, 110),
            Hub(14.2600, 50.1060, 3.5, 110, kind="airport"),
        ),
        waters=(
            Water(
                (
                    (14.398, 49.95),
                    (14.405, 50.00),
                    (14.411, 50.04),
                    (14.413, 50.065),
                    (14.412, 50.086),
                    (14.421, 50.094),
                    (14.437, 50.096),
                    (14.455, 50.102),
                    (14.457, 50.110),
                    (14.440, 50.116),
                    (14.415, 50.118),
                    (14.398, 50.130),
                    (14.395, 50.18),
                ),
                210,
            ),
        ),
    ),
    City(
        name="Turin",
        share=0.33,
        centre=(7.6760, 45.0690),
        radius_m=6_500,
        street_bearing_deg=26.0,
        bearing_spread_deg=7.0,
        bend_m=18.0,
        hubs=(
            Hub(7.6786, 45.0624, 5, kind="station"),
            Hub(7.6660, 45.0725, 4),
            Hub(7.6630, 45.0290, 2.5),
            Hub(7.6590, 45.0628, 2.5),
            Hub(7.6413, 45.1096, 1.5, 110),
            Hub(7.6230, 45.0330, 1.8, 110),
            Hub(7.6440, 45.1920, 2.2, 110, kind="airport"),
        ),
        waters=(
            Water(
                (
                    (7.690, 44.96),
                    (7.678, 45.005),
                    (7.679, 45.035),
                    (7.690, 45.052),
                    (7.700, 45.063),
                    (7.715, 45.080),
                    (7.740, 45.096),
                    (7.790, 45.120),
                ),
                190,
            ),
        ),
    ),
    City(
        name="Hamburg",
        share=0.25,
        centre=(9.9960, 53.5600),
        radius_m=9_500,
        street_bearing_deg=-12.0,
        bearing_spread_deg=22.0,
        bend_m=50.0,
        hubs=(
            Hub(10.0069, 53.5528, 5, kind="station"),
            Hub(9.9351, 53.5527, 3.5),
            Hub(10.0060, 53.6322, 3, 110, kind="airport"),
            Hub(10.0447, 53.5870, 2.2),
            Hub(10.0700, 53.5720, 1.8),
            Hub(9.9917, 53.4560, 2, 110),
            Hub(10.2060, 53.4890, 1.2, 110),
        ),
        waters=(
            Water(
                (
                    (9.60, 53.590),
                    (9.80, 53.552),
                    (9.93, 53.541),
                    (9.985, 53.536),
                    (10.04, 53.528),
                    (10.10, 53.490),
                    (10.20, 53.430),
                ),
                620,
            ),
            Water(((10.000, 53.563), (10.006, 53.584)), 720),
        ),
    ),
)
