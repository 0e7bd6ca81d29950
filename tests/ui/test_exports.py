"""Exports open in other programs with the same values, and run nothing there."""

import csv
import io
import json
from dataclasses import asdict, replace
from datetime import date

import pyarrow.parquet as pq
import pytest

from shared.groups.question import TripGroup
from shared.questions.weekly import WeekCount, WeeklyAnswer
from ui.style.exports import export_csv, export_groups_csv, export_groups_geojson, export_groups_parquet, export_weeks_csv

GROUP = TripGroup(
    region="Turin",
    origin_cell="u0j2e8",
    origin_name="1.4 km NE of Venaria Reale",
    destination_cell="u0j80h",
    destination_name="Turin",
    bucket_minute=540,
    trips=3,
    origin_longitude=7.6,
    origin_latitude=45.0,
    destination_longitude=7.7,
    destination_latitude=45.1,
    first_on=date(2018, 5, 6),
    last_on=date(2018, 5, 20),
    datasources=("baba_car", "cheap_mobile"),
)


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_groups_as_csv() -> None:
    [row] = read_csv(export_groups_csv([GROUP]))
    assert list(row) == list(TripGroup.__slots__)
    assert (row["trips"], row["first_on"], row["datasources"]) == ("3", "2018-05-06", "baba_car|cheap_mobile")


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1-1", "@x", "\tx", "\rx", "\nx", "+x"])
def test_text_that_looks_like_a_formula_is_quoted(text: str) -> None:
    [row] = read_csv(export_groups_csv([replace(GROUP, region=text)]))
    assert row["region"] == f"'{text}"


def test_numbers_below_zero_stay_numbers() -> None:
    assert export_csv(("a",), [(-1.5,)]) == b"a\r\n-1.5\r\n"


def test_groups_as_geojson() -> None:
    [feature] = json.loads(export_groups_geojson([GROUP]))["features"]
    assert feature["geometry"] == {"type": "LineString", "coordinates": [[7.6, 45.0], [7.7, 45.1]]}
    assert feature["properties"]["trips"] == 3
    assert "origin_longitude" not in feature["properties"]


def test_groups_as_parquet() -> None:
    [row] = pq.read_table(io.BytesIO(export_groups_parquet([GROUP]))).to_pylist()
    assert row == asdict(GROUP) | {"datasources": ["baba_car", "cheap_mobile"]}


def test_weeks_as_csv() -> None:
    answer = WeeklyAnswer((WeekCount(date(2018, 4, 30), 23, True),), date(2018, 4, 30), date(2018, 5, 6))
    assert read_csv(export_weeks_csv(answer)) == [{"week": "2018-04-30", "trips": "23", "is_partial": "True"}]
