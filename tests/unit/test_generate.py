"""Generated files: same bytes for the same seed, a tally an independent reader agrees with, rhythm and places as promised."""

import csv
import hashlib
import io
import re
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from loader.sample.cities import CITIES, City
from loader.sample.generate import CHUNK_ROWS, DATASOURCES, Tally, generate_trips, write_trips
from loader.sample.places import make_places
from loader.sample.streets import measure_to_line
from shared.platform.errors import RequestError

POINT = re.compile(r"POINT \((-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)\)")


def make_file(**choices: object) -> tuple[bytes, Tally]:
    stream = io.BytesIO()
    tally = write_trips(stream, **choices)  # type: ignore[arg-type]
    return stream.getvalue(), tally


def read_records(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode())))[1:]


def read_points(record: list[str]) -> np.ndarray:
    """Origin and destination, longitude before latitude."""
    return np.array([[float(number) for number in POINT.fullmatch(point).groups()] for point in record[1:3]])  # type: ignore[union-attr]


def monday(record: list[str]) -> date:
    day = datetime.fromisoformat(record[3]).date()
    return day - timedelta(days=day.weekday())


def test_tally_is_what_an_independent_reader_counts() -> None:
    text, tally = make_file(rows=5_000, seed=3, from_on=date(2026, 1, 7), weeks=5)
    records = read_records(text)
    assert text.startswith(b"region,origin_coord,destination_coord,datetime,datasource\n")
    assert tally.bytes == len(text)
    assert tally.rows == tally.rows_loaded == len(records) == 5_000
    assert tally.regions == Counter(record[0] for record in records)
    assert tally.datasources == Counter(record[4] for record in records)
    assert tally.weeks == Counter(map(monday, records))
    assert tally.region_weeks("Turin") == Counter(monday(record) for record in records if record[0] == "Turin")
    assert len(tally.weeks) == 6  # five weeks from a Wednesday on touch six ISO weeks


def test_every_coordinate_lies_in_its_city() -> None:
    text, _ = make_file(rows=3_000)
    centres = {"Prague": (14.42, 50.08), "Turin": (7.68, 45.07), "Hamburg": (10.0, 53.56)}
    for record in read_records(text):
        longitude, latitude = centres[record[0]]
        for point in record[1:3]:
            match = POINT.fullmatch(point)
            assert match, point
            assert abs(float(match[1]) - longitude) < 0.6
            assert abs(float(match[2]) - latitude) < 0.4


def test_same_arguments_give_same_bytes_and_other_seeds_others(tmp_path: Path) -> None:
    digests = []
    for number, seed in enumerate((7, 7, 8)):
        generate_trips(tmp_path / f"{number}.csv", rows=1_000, seed=seed)
        digests.append(hashlib.sha256((tmp_path / f"{number}.csv").read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("bad_share", [0.0, 0.01])
def test_fewer_rows_are_a_prefix_of_more_rows_across_chunks(bad_share: float) -> None:
    longer, _ = make_file(rows=CHUNK_ROWS + 500, bad_share=bad_share)
    shorter, _ = make_file(rows=CHUNK_ROWS + 20, bad_share=bad_share)
    assert longer.startswith(shorter)
    assert longer.count(b"\n") == CHUNK_ROWS + 501


def test_working_days_have_two_peaks_and_weekends_do_not() -> None:
    text, _ = make_file(rows=60_000, weeks=10)
    hours: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
    for record in read_records(text):
        started_at = datetime.fromisoformat(record[3])
        hours[started_at.weekday() >= 5][started_at.hour] += 1
    working, weekend = hours[False], hours[True]
    assert min(working[8], working[17]) > 1.6 * working[11]
    assert max(weekend[8], weekend[17]) < 1.3 * weekend[11]
    assert working.total() / 5 > 1.3 * weekend.total() / 2


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_nothing_begins_in_wide_water_and_little_on_bridges(city: City) -> None:
    places = make_places(city)
    for water in city.waters:
        line = city.to_metres(np.array(water.line))
        for degrees in (places.homes, places.goals):
            share = np.mean(measure_to_line(city.to_metres(degrees), line) < water.width_m / 2 - 10)
            assert share < 0.01
            assert water.width_m < 400 or share == 0


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_places_crowd_along_streets(city: City) -> None:
    """On a grid of 20 m half of the homes lie in cells that would hold a tenth of them if they were spread evenly around."""
    homes = city.to_metres(make_places(city).homes)
    inner = homes[np.hypot(*homes.T) < city.radius_m / 2]
    _, counts = np.unique((inner // 20).astype(int), axis=0, return_counts=True)
    counts = np.sort(counts)[::-1]
    cells = np.pi * (city.radius_m / 2 / 20) ** 2
    assert np.searchsorted(np.cumsum(counts), counts.sum() / 2) < 0.1 * cells


def test_working_days_go_to_the_centre_in_the_morning_and_back_in_the_evening() -> None:
    text, _ = make_file(rows=60_000, weeks=4)
    city = next(city for city in CITIES if city.name == "Turin")
    closer: dict[int, list[bool]] = {8: [], 17: []}
    for record in read_records(text):
        started_at = datetime.fromisoformat(record[3])
        if record[0] == city.name and started_at.weekday() < 5 and started_at.hour in closer:
            origin, destination = np.hypot(*city.to_metres(read_points(record)).T)
            closer[started_at.hour].append(destination < origin)
    assert np.mean(closer[8]) > 0.6
    assert np.mean(closer[17]) < 0.4


def test_stations_and_airports_are_busy() -> None:
    text, _ = make_file(rows=20_000)
    for city in CITIES:
        ends = np.concatenate([read_points(record) for record in read_records(text) if record[0] == city.name])
        for hub in city.hubs:
            if hub.kind != "other":
                middle = city.to_metres(np.array([(hub.longitude, hub.latitude)]))
                assert np.mean(np.hypot(*(city.to_metres(ends) - middle).T) < 400) > 0.02


def test_holidays_are_quiet_and_have_no_rush_hours() -> None:
    text, tally = make_file(rows=60_000, weeks=10)
    holidays = date(2026, 2, 16)  # ISO week 8
    weeks = tally.weeks
    assert weeks[holidays] < 0.8 * weeks[holidays + timedelta(weeks=1)]
    hours = Counter(int(record[3][11:13]) for record in read_records(text) if monday(record) == holidays)
    assert max(hours[8], hours[17]) < 1.3 * hours[11]


def test_planted_rejects_are_where_the_tally_says() -> None:
    clean, _ = make_file(rows=4_000, seed=5)
    text, tally = make_file(rows=4_000, seed=5, bad_share=0.02)
    pairs = zip(read_records(clean), read_records(text), strict=True)
    changed = [record for record, (good, bad) in enumerate(pairs, 1) if good != bad]
    assert changed == [reject.record for reject in tally.rejects]
    assert 40 < len(changed) < 160
    assert len({reject.reason for reject in tally.rejects}) == 6
    assert tally.rows_loaded == sum(tally.weeks.values()) == 4_000 - len(changed)
    lines = text.decode().splitlines()
    for reject in tally.rejects:
        if reject.reason == "field_count":
            assert lines[reject.line - 1].count(",") != 4
        else:
            assert lines[reject.line - 1].count(",") == 4
    assert tally.to_json()["rows_rejected"] == len(changed)


def test_no_rows_make_a_header_only_file() -> None:
    text, tally = make_file(rows=0)
    assert text.count(b"\n") == 1
    assert tally.weeks == {}
    assert tally.datasources == dict.fromkeys(DATASOURCES, 0)


def test_impossible_choices_are_refused() -> None:
    with pytest.raises(RequestError, match="share of bad rows"):
        make_file(rows=10, bad_share=1.5)
