"""Judge the files of shared/data/kinds in process, by their right outcomes.

python -m tests.unit.formats.kinds            # every file that isn't right, and counts
python -m tests.unit.formats.kinds 'E0.*'     # those whose id matches
"""

import re
import sys
from collections import Counter
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from loader.formats import SAMPLE_BYTES, LoadOptions, inspect_format
from shared.platform.errors import TripdeckError
from tests.shared_data import SHARED_DIR, read_expected
from tests.unit.formats.loading import Loaded, load_bytes

FOLDER: Final = "kinds"
FIRST: Final = ("origin_longitude", "origin_latitude", "destination_longitude", "destination_latitude")
RIGHT: Final = frozenset({"right", "refused"})
# Geohashes, archives and JSON that the outcomes call unreadable and that are read now: how many trips each holds.
READ_NOW: Final = {
    "C10": 4,
    "E02": 4,
    "E02c": 2000,
    "E03e": 2,
    "E04": 4,
    "E04c": 4,
    "E04e": 4,
    "E04g": 4,
    "H30": 4000,
    "H30c": 4000,
}
BASE: Final = (-73.9919, 40.7407, -73.9938, 40.6959, "2024-03-19T08:12:00")


def judge(case: dict[str, Any]) -> tuple[str, str]:
    """Give the verdict (right, refused, all rejected, SILENT, CRASH, refused though readable) and what is wrong."""
    data = (SHARED_DIR / FOLDER / case["file"]).read_bytes()
    is_refusable = case["rows"] in (None, -1) or case["either"]
    try:
        options = read_options(case["args"])
        is_whole = len(data) <= SAMPLE_BYTES
        inspection = inspect_format(data[:SAMPLE_BYTES], file_name=case["file"], options=options, is_whole=is_whole)
        loaded = load_bytes(data, options=options)
    except TripdeckError as error:
        code = error.error_code
        return ("refused" if is_refusable and case["refuse"] else "refused though readable"), f"{code}: {error}"
    except BaseException as error:  # noqa: BLE001 - a panic of a library is no Exception
        return "CRASH", f"{type(error).__name__}: {error}"
    if loaded.rows and not loaded.trips.height and case["loaded"] != 0:
        return ("refused" if is_refusable and case["refuse"] else "all rejected"), str(
            dict(loaded.rejects["reason"].value_counts().iter_rows())
        )
    wrong = list_faults(case, loaded, next(iter(inspection.to_json()["trips"]), None))
    return ("SILENT" if wrong else "right"), "; ".join(wrong)


def read_cases() -> dict[str, dict[str, Any]]:
    """Read the cases: id → file, options and right outcome."""
    cases = dict(read_expected(FOLDER).items())
    for key, rows in READ_NOW.items():
        first = None if key == "C10" else BASE  # a geohash means its cell's centre
        outcome = {"rows": rows, "loaded": rows, "reasons": {}, "weeks": {"2024-03-18": rows}, "first": first}
        cases[key] = cases[key] | outcome | {"either": False}
    cases["H09"]["either"] = True  # clock times without any date: nobody could read them
    cases["C12"] |= {"either": True, "refuse": ["flows"]}  # rows that stand for many trips each: asked about
    return cases


def list_faults(case: dict[str, Any], loaded: Loaded, first: dict[str, Any] | None) -> list[str]:
    """List what differs from the right outcome of a file that loads."""
    if case["rows"] in (None, -1):
        return ["loaded though it can't be read for sure"] if case["refuse"] else []
    reasons = dict(loaded.rejects["reason"].value_counts().iter_rows())
    found = {"rows": loaded.rows, "loaded": loaded.trips.height, "reasons": reasons}
    if case["weeks"]:
        found["weeks"] = count_weeks(loaded.trips)
    wrong = [f"{name} {value} for {case[name]}" for name, value in found.items() if value != case[name]]
    if case["first"] and first:
        *ends, started_at = case["first"]
        here = [first[name] for name in FIRST]
        is_near = all(abs(a - b) < 1e-5 for a, b in zip(here, ends, strict=True))
        if not is_near or first["started_at"][:19] != started_at[:19]:
            wrong.append(f"first {[*here, first['started_at']]} for {case['first']}")
    return wrong


def count_weeks(trips: pl.DataFrame) -> dict[str, int]:
    """Count trips by the Monday of their ISO week."""
    return dict(sorted(Counter(str(find_monday(day)) for day in trips["started_at"].dt.date().to_list()).items()))


def find_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def read_options(arguments: list[str]) -> LoadOptions:
    """Read the command line's options that the cases use."""
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    roles = dict(value.split("=", 1) for name, value in pairs if name == "--map")
    return LoadOptions.from_json({"roles": roles, **{name.strip("-"): value for name, value in pairs if name != "--map"}})


def main(pattern: str) -> None:
    """Print a line for each file that isn't right, then how many there are of each verdict."""
    counts: Counter[str] = Counter()
    for key, case in read_cases().items():
        if re.fullmatch(pattern, key):
            verdict, why = judge(case)
            counts[verdict] += 1
            if verdict not in RIGHT:
                print(f"{key:6} {verdict:24} {case['file']} {case['kind'][:70]} | {why[:230]}")
    print(", ".join(f"{name} {count}" for name, count in counts.most_common()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".*")
