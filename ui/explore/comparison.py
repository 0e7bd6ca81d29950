"""A second period to compare with: chosen in a popover of the filter row, told as two averages, their difference and ratio."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from shared.questions.weekly import WeeklyComparison
from ui.session.view import View
from ui.session.view_state import change_view
from ui.session.widget_keys import place_control, take_control
from ui.style.text import format_average, format_difference, format_period, format_ratio

# 52 whole weeks: weekdays stay the same.
_YEAR: Final = timedelta(weeks=52)


def is_compared(view: View) -> bool:
    """Whether there is another period."""
    return bool(view.compare_from or view.compare_to)


def render_comparison_choice(view: View, *, first_on: date, last_on: date) -> None:
    """A popover with the other period: free, or one that suits the first."""
    with st.popover("Compare periods", icon=":material/compare_arrows:", type="primary" if is_compared(view) else "secondary"):
        chosen = tuple(day for day in (view.compare_from, view.compare_to) if day)
        days = [*chosen, first_on, last_on]
        st.date_input(
            "Compare with the period",
            key=place_control("compare", chosen if len(chosen) == 2 else ()),
            min_value=min(days).replace(month=1, day=1),
            max_value=max(days).replace(month=12, day=31),
            format="YYYY-MM-DD",
            on_change=_take_days,
            help="The same filters, over other weeks. Both periods keep their own average.",
        )
        for key, label, period in _suggest(view):
            st.button(f"{label}: {format_period(*period)}", key=key, on_click=_compare_with, args=period, width="stretch")
        if not (view.from_on and view.to_on):
            st.caption("Choose a period of the weeks first to be offered the weeks before it.")
        st.button("Stop comparing", key="compare_off", on_click=_compare_with, args=(None, None), disabled=not is_compared(view))


def render_comparison(comparison: WeeklyComparison) -> None:
    """Both weekly averages, and how they differ."""
    with st.container(key="comparison"):
        columns = st.columns([1.3, 1.2, 1, 0.9], gap="small")
    numbers = {
        "Trips a week, on average": format_average(comparison.answer.weekly_average),
        "In the other period": format_average(comparison.other.weekly_average),
        "Difference": format_difference(comparison.difference),
        "Ratio": format_ratio(comparison.ratio),
    }
    for column, (label, value) in zip(columns, numbers.items(), strict=True):
        column.metric(label, value)


def _suggest(view: View) -> list[tuple[str, str, tuple[date, date]]]:
    """Periods that go with the first: key, label, days."""
    if not (view.from_on and view.to_on):
        return []
    length = view.to_on - view.from_on + timedelta(days=1)
    return [
        ("compare_before", "The time before", (view.from_on - length, view.to_on - length)),
        ("compare_year", "A year before", (view.from_on - _YEAR, view.to_on - _YEAR)),
    ]


def _take_days() -> None:
    days: Sequence[Any] = take_control("compare") or (None, None)
    if len(days) == 2:
        _compare_with(days[0], days[1])


def _compare_with(from_on: date | None, to_on: date | None) -> None:
    change_view(compare_from=from_on, compare_to=to_on)
