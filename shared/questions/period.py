"""Periods: the days, whole weeks and hours that a question counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.domain.clock import DAY, find_monday


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included, and hours of the week, Monday 0 h is 0 (None: all). Clock: local wall clock."""

    from_on: date
    to_on: date
    hours: Sequence[int] | None = None

    @property
    def first_week(self) -> date:
        """The Monday of the first week."""
        return find_monday(self.from_on)

    @property
    def weeks(self) -> int:
        """Number of weeks, whole or not."""
        return (self.to_on - self.first_week).days // 7 + 1

    @property
    def whole_weeks(self) -> tuple[date, date]:
        """First Monday and last Sunday of the weeks that lie whole in the period; the first lies after the last without any."""
        return find_monday(self.from_on + 6 * DAY), find_monday(self.to_on + DAY) - DAY

    @property
    def cut_days(self) -> list[tuple[date, date]]:
        """The days that are in no whole week, as ranges."""
        whole_from, whole_to = self.whole_weeks
        if whole_from > whole_to:
            return [(self.from_on, self.to_on)]
        ranges = [(self.from_on, whole_from - DAY), (whole_to + DAY, self.to_on)]
        return [(first, last) for first, last in ranges if first <= last]

    @property
    def parameters(self) -> dict[str, Any]:
        """The period as query parameters."""
        whole_from, whole_to = self.whole_weeks
        days = {"from_on": self.from_on, "to_on": self.to_on, "whole_from": whole_from, "whole_to": whole_to}
        return {**days, "hours": self.hours}
