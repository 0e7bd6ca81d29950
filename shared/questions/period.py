"""Periods: the days and whole weeks that a question counts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.domain.clock import DAY, find_monday
from shared.index.snapshot import TripFilter


def period_parameters(trip_filter: TripFilter, period: tuple[date, date], hours: Sequence[int] | None) -> dict[str, Any]:
    """Give what the queries of sql/queries/weekly.sql take; no week lies whole in the period when whole_from > whole_to."""
    whole = {"whole_from": find_monday(period[0] + 6 * DAY), "whole_to": find_monday(period[1] + DAY) - DAY}
    return {**trip_filter.parameters, "from_on": period[0], "to_on": period[1], "hours": hours, **whole}


def list_cut_days(parameters: Mapping[str, Any]) -> list[tuple[date, date]]:
    """List the days of a period that are in no whole week, as ranges."""
    from_on, to_on, whole_from, whole_to = (parameters[name] for name in ("from_on", "to_on", "whole_from", "whole_to"))
    if whole_from > whole_to:
        return [(from_on, to_on)]
    ranges = [(from_on, whole_from - DAY), (whole_to + DAY, to_on)]
    return [(first, last) for first, last in ranges if first <= last]
