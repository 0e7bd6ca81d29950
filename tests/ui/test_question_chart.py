"""An answer is drawn where it counts something by name or by day, and only there."""

from datetime import date, datetime

import pytest

from shared.questions.challenge import ResultTable
from ui.questions.chart import find_drawing, make_chart

MONDAY = date(2026, 3, 2)
AT = datetime.fromisoformat("2026-03-02T08:00:00")


def test_names_with_a_number_are_bars_in_the_order_of_the_table() -> None:
    rows = (("Turin", 12_000, "cab", AT), ("Brno", 7, "tram", AT))
    drawing = find_drawing(ResultTable(("region", "trips", "datasource", "started_at"), rows))
    assert drawing is not None
    assert drawing.describe() == "Bars of trips by region. Turin: 12\u202f000, Brno: 7."
    encoding = make_chart(drawing).to_dict()["encoding"]
    assert (encoding["y"]["field"], encoding["y"]["sort"], encoding["x"]["field"]) == ("label", None, "value")


def test_days_with_a_number_are_a_line() -> None:
    drawing = find_drawing(ResultTable(("week", "average"), ((MONDAY, 1.5), (date(2026, 3, 9), 2.0))))
    assert drawing is not None
    assert drawing.describe() == "Line of average by week. 2 Mar 2026: 1.5, 9 Mar 2026: 2.0."
    assert make_chart(drawing).to_dict()["mark"]["type"] == "line"


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (("region",), [("Turin",), ("Brno",)]),
        (("region", "trips"), [("Turin", 1)]),
        (("region", "trips"), [("Turin", 1), ("Turin", 2)]),
        (("region", "trips", "weeks"), [("Turin", 1, 2), ("Brno", 2, 3)]),
        (("trips", "region"), [(1, "Turin"), (2, "Brno")]),
        (("region", "trips"), [("Turin", 1), (None, 2)]),
        (("region", "trips"), [(f"region {n}", n) for n in range(41)]),
        (("region", "trips"), []),
    ],
)
def test_other_answers_are_not_drawn(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    assert find_drawing(ResultTable(columns, tuple(rows))) is None
