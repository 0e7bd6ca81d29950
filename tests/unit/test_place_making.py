"""Place sets made of trip files: every id lies where most of its trips do."""

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loader.place_files import PlaceOptions, read_place_file
from loader.place_files.making import PlaceMaker
from shared.platform.errors import FileFormatError, RequestError

STATIONS = {"3002": (-118.4, 34.1, "Main St"), "17": (-118.41, 34.11, "Pine St"), "4": (-118.39, 34.09, "5th & Oak")}


def make_trips(rows: int = 600) -> pl.DataFrame:
    keys = list(STATIONS)
    found = []
    for number in range(rows):
        origin, destination = keys[number % 3], keys[number // 3 % 3]
        (west, south, first), (east, north, second) = STATIONS[origin], STATIONS[destination]
        is_moved = number % 10 == 0  # the bike was elsewhere
        found.append(
            {
                "start_time": f"2018-05-{1 + number % 28:02d} 08:12:00",
                "start_station_id": origin,
                "start_station_name": first,
                "start_lat": south + 0.01 * is_moved,
                "start_lon": west,
                "end_station_id": destination,
                "end_station_name": second,
                "end_lat": north,
                "end_lon": east,
            }
        )
    # Without an id, without coordinates: none of these makes a place.
    found[1] |= {"start_station_id": "", "end_lat": None}
    return pl.DataFrame(found)


def write(folder: Path, form: str, frame: pl.DataFrame) -> Path:
    path = folder / f"trips.{form}"
    if form == "parquet":
        frame.write_parquet(path, row_group_size=250)
    else:
        path.write_text(frame.write_csv(), encoding="utf-8")
    return path


def read_made(maker: PlaceMaker) -> dict[str, tuple[float, float, str]]:
    rows = csv.DictReader(io.StringIO(maker.write_csv().decode()))
    return {row["id"]: (float(row["longitude"]), float(row["latitude"]), row["name"]) for row in rows}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("choices", [{}, {"key": ("start_station_id", "end_station_id")}])
def test_stations_are_made_of_trips(tmp_path: Path, form: str, choices: dict[str, Any]) -> None:
    maker = PlaceMaker(**choices)
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        maker.read_file(write(folder, form, make_trips()))
    assert read_made(maker) == STATIONS
    found = read_place_file(maker.write_csv(), file_name="made.csv", options=PlaceOptions(key="id", label="name"))
    assert {place.key: place.name for place in found.places} == {key: name for key, (_, _, name) in STATIONS.items()}


def test_names_can_be_the_keys(tmp_path: Path) -> None:
    maker = PlaceMaker(key=("start_station_name", "end_station_name"))
    maker.read_file(write(tmp_path, "csv", make_trips()))
    assert {name: point[:2] for name, point in read_made(maker).items()} == {name: (x, y) for x, y, name in STATIONS.values()}


def test_files_without_both_are_refused(tmp_path: Path) -> None:
    coordinates = make_trips().drop("start_station_id", "start_station_name")
    with pytest.raises(RequestError, match="No columns are named as ids of both ends"):
        PlaceMaker().read_file(write(tmp_path, "csv", coordinates))
    ids = make_trips().drop("start_lat", "start_lon")
    with pytest.raises(FileFormatError, match="these are ids"):
        PlaceMaker().read_file(write(tmp_path, "csv", ids))
    with pytest.raises(RequestError, match="no column 'from'"):
        PlaceMaker(key=("from", "to")).read_file(write(tmp_path, "csv", make_trips()))
    with pytest.raises(FileFormatError, match="no trip with an id"):
        PlaceMaker().write_csv()
