"""The chart of a question's answer, where one makes sense: days as a line, names as bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

import altair as alt

from shared.questions.challenge import ResultTable
from ui.style.text import THIN_SPACE, format_count, format_day

# More bars than this don't fit on a screen beside their names.
_MOST_BARS: Final = 40
_BAR_PX: Final = 26
_LINE_HEIGHT_PX: Final = 280
_NAME_PX: Final = 180
_NUMBERS: Final = f"replace(format(datum.value, datum.value < 1e5 ? ',' : '~s'), ',', '{THIN_SPACE}')"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What of an answer can be drawn: one number for each day or name."""

    kind: Literal["line", "bars"]
    label: str
    number: str
    rows: tuple[Mapping[str, Any], ...]

    def describe(self) -> str:
        """The chart in words, for those who can't see it."""
        shown = ", ".join(f"{row['text']}: {row['count']}" for row in self.rows[:60])
        return f"{'Line' if self.kind == 'line' else 'Bars'} of {_name(self.number)} by {_name(self.label)}. {shown}."


def find_drawing(table: ResultTable) -> Drawing | None:
    """Find what can be drawn: the first column names each row or gives its day, and exactly one column counts something."""
    columns = list(zip(table.columns, zip(*table.rows, strict=True), strict=True)) if len(table.rows) > 1 else []
    numbers = [(name, values) for name, values in columns if _are(values, (int, float))]
    if len(numbers) != 1 or numbers[0][0] == table.columns[0]:
        return None
    (label, labels), (number, values) = columns[0], numbers[0]
    if len(set(labels)) < len(labels):
        return None
    if _are(labels, date):
        return Drawing("line", label, number, tuple(_make_row(each, value) for each, value in zip(labels, values, strict=True)))
    if _are(labels, str) and len(labels) <= _MOST_BARS:
        return Drawing("bars", label, number, tuple(_make_row(each, value) for each, value in zip(labels, values, strict=True)))
    return None


def make_chart(drawing: Drawing) -> alt.Chart:
    """Make the chart."""
    data = alt.Chart(alt.InlineData(values=list(drawing.rows)))
    tips = [alt.Tooltip("text:N", title=_name(drawing.label)), alt.Tooltip("count:N", title=_name(drawing.number))]
    axis = alt.Axis(title=_name(drawing.number), labelExpr=_NUMBERS, tickCount=4)
    if drawing.kind == "line":
        days = alt.Axis(title=None, grid=False, format="%-d %b %Y", labelOverlap=True)
        chart = data.mark_line(point=True).encode(
            x=alt.X("label:T", scale=alt.Scale(type="utc"), axis=days), y=alt.Y("value:Q", axis=axis), tooltip=tips
        )
        height: int | alt.Step = _LINE_HEIGHT_PX
    else:
        names = alt.Axis(title=None, labelLimit=_NAME_PX, ticks=False, domain=False, labelPadding=6)
        chart = data.mark_bar(height=alt.RelativeBandSize(0.72)).encode(
            y=alt.Y("label:N", sort=None, axis=names), x=alt.X("value:Q", axis=axis), tooltip=tips
        )
        height = alt.Step(_BAR_PX)
    finished: alt.Chart = chart.properties(height=height)
    return finished


def _are(values: Sequence[Any], kind: type | tuple[type, ...]) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def _make_row(label: str | date, value: float) -> dict[str, Any]:
    number = format_count(value) if isinstance(value, int) else f"{value:,.1f}".replace(",", THIN_SPACE)
    if isinstance(label, str):
        return {"label": label, "text": label, "value": value, "count": number}
    day = label if not isinstance(label, datetime) else label.date()
    return {"label": label.isoformat(), "text": format_day(day), "value": value, "count": number}


def _name(column: str) -> str:
    return column.replace("_", " ")
