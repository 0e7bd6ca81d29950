"""The view: everything that Explore asks about, and the address that says it, so that a view can be shared.

    view, problems = parse_view({"region": "Turin", "bbox": "7.5,45,7.7,45.1", "end": "both"})
    view.to_params()     # the same names as REST's

What an address gets wrong is left out and reported; the rest still counts.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from shared.areas.shape import Shape
from shared.domain.area import Area, Box, parse_bbox
from shared.domain.clock import WEEKDAYS, parse_weekdays
from shared.domain.trip_end import ENDS, End
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.question import MAX_PRECISION, FlowQuestion, GroupQuestion, TripGroup
from shared.platform.errors import RequestError
from shared.questions.weekly import WeeklyQuestion
from ui.session.shape_text import encode_shape, parse_shape_text

Hours = tuple[int, int]

WHOLE_DAY: Final[Hours] = (0, 24)


@dataclass(frozen=True, slots=True)
class View:
    """Filters of Explore; None means all. precision None: chosen by the map's zoom.

    The area is a box, a drawn shape, or a named area (place_id), whose shape and name are read later; one at most is given.
    is_played: the map plays the hours of the day. compare_from, compare_to: another period to compare with.
    weekdays: ISO. Clock: local wall clock of the trip.
    """

    region: str | None = None
    datasource: str | None = None
    box: Box | None = None
    shape: Shape | None = None
    place_id: int | None = None
    place_name: str | None = None
    end: End = "origin"
    from_on: date | None = None
    to_on: date | None = None
    hours: Hours = WHOLE_DAY
    weekdays: frozenset[int] = WEEKDAYS
    compare_from: date | None = None
    compare_to: date | None = None
    precision: int | None = None
    is_played: bool = False

    @property
    def area(self) -> Area | None:
        """The box or shape."""
        return self.box or self.shape

    @property
    def area_name(self) -> str | None:
        """The area in words: the box, the shape, or its name."""
        return "the box" if self.box else (self.place_name or "the shape") if self.shape else None

    def to_params(self) -> dict[str, str]:
        """Parameters of the address, without what stands at its default."""
        values = {
            "region": self.region,
            "datasource": self.datasource,
            "bbox": self.box.text() if self.box else None,
            "shape": encode_shape(self.shape) if self.shape and not self.place_id else None,
            "area": str(self.place_id) if self.place_id else None,
            "end": self.end if self.end != "origin" else None,
            "from": self.from_on.isoformat() if self.from_on else None,
            "to": self.to_on.isoformat() if self.to_on else None,
            "hours": f"{self.hours[0]}-{self.hours[1]}" if self.hours != WHOLE_DAY else None,
            "weekdays": format_weekdays(self.weekdays) if self.weekdays != WEEKDAYS else None,
            "compare_from": self.compare_from.isoformat() if self.compare_from else None,
            "compare_to": self.compare_to.isoformat() if self.compare_to else None,
            "precision": str(self.precision) if self.precision else None,
            "play": "day" if self.is_played else None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def to_weekly_params(self) -> dict[str, str]:
        """Parameters of REST's weekly average, but for the area."""
        values = {
            "region": self.region,
            "datasource": self.datasource,
            "end": self.end,
            "from": self.from_on.isoformat() if self.from_on else None,
            "to": self.to_on.isoformat() if self.to_on else None,
            "hour_from": str(self.hours[0]),
            "hour_to": str(self.hours[1]),
            "weekdays": format_weekdays(self.weekdays),
        }
        return {name: value for name, value in values.items() if value is not None}

    def weekly_question(self) -> WeeklyQuestion:
        """What the weekly numbers answer."""
        return WeeklyQuestion(
            self.region, self.datasource, self.area, self.end, self.from_on, self.to_on, *self.hours, weekdays=self.weekdays
        )

    def other_question(self) -> WeeklyQuestion:
        """The same over the period to compare with."""
        return replace(self.weekly_question(), from_on=self.compare_from, to_on=self.compare_to)

    def flow_question(self, *, precision: int, viewport: Box | None = None, limit: int) -> FlowQuestion:
        """What the map answers."""
        return FlowQuestion(**self._group_filters(), precision=self.precision or precision, viewport=viewport, limit=limit)

    def group_question(self, *, precision: int, bucket_minutes: int, limit: int) -> GroupQuestion:
        """What the table of trip groups answers."""
        return GroupQuestion(
            **self._group_filters(), precision=self.precision or precision, bucket_minutes=bucket_minutes, limit=limit
        )

    def _group_filters(self) -> dict[str, Any]:
        return {
            "region": self.region,
            "datasource": self.datasource,
            "area": self.area,
            "end": self.end,
            "hour_from": self.hours[0],
            "hour_to": self.hours[1],
            "weekdays": self.weekdays,
        }

    def detail_question(self, group: TripGroup, *, bucket_minutes: int, samples: int) -> GroupDetailQuestion:
        """What is asked about one trip group."""
        return GroupDetailQuestion(
            **self._group_filters() | {"region": group.region},
            origin_cell=group.origin_cell,
            destination_cell=group.destination_cell,
            bucket_minute=group.bucket_minute,
            bucket_minutes=bucket_minutes,
            samples=samples,
        )


def format_weekdays(weekdays: Collection[int]) -> str:
    """Weekdays as an address names them: 1-5, 6-7, 1,3."""
    days = sorted(weekdays)
    is_row = len(days) > 1 and days[-1] - days[0] == len(days) - 1
    return f"{days[0]}-{days[-1]}" if is_row else ",".join(str(day) for day in days)


def parse_view(params: Mapping[str, str]) -> tuple[View, list[str]]:
    """Read a view from an address; also returns a sentence for each parameter that makes no sense."""
    view, problems = View(), []
    for name, field, parse in _PARSERS:
        text = params.get(name, "")
        if not text:
            continue
        try:
            view = replace(view, **{field: parse(text)})  # type: ignore[arg-type]
        except (ValueError, RequestError):
            problems.append(f"The address has {name}={text}, which makes no sense; it was left out.")
    if sum(part is not None for part in (view.box, view.shape, view.place_id)) > 1:
        problems.append("The address has several areas; the first one was taken.")
        view = replace(view, shape=None if view.box else view.shape, place_id=None)
    if view.from_on and view.to_on and view.from_on > view.to_on:
        problems.append("The address has a period that ends before it begins; it was left out.")
        view = replace(view, from_on=None, to_on=None)
    if view.compare_from and view.compare_to and view.compare_from > view.compare_to:
        problems.append("The address compares with a period that ends before it begins; it was left out.")
        view = replace(view, compare_from=None, compare_to=None)
    return view, problems


def _parse_end(text: str) -> End:
    if text not in ENDS:
        raise ValueError(text)
    return text


def _parse_place_id(text: str) -> int:
    if not 0 < int(text) < 2**31:
        raise ValueError(text)
    return int(text)


def _parse_hours(text: str) -> Hours:
    first, last = (int(part) for part in text.split("-"))
    if not (0 <= first <= 24 and 0 <= last <= 24) or first == last:
        raise ValueError(text)
    return first, last


def _parse_precision(text: str) -> int:
    precision = int(text)
    if not 1 <= precision <= MAX_PRECISION:
        raise ValueError(text)
    return precision


def _parse_play(text: str) -> bool:
    if text != "day":
        raise ValueError(text)
    return True


_PARSERS: Final[tuple[tuple[str, str, Callable[[str], object]], ...]] = (
    ("region", "region", str),
    ("datasource", "datasource", str),
    ("bbox", "box", parse_bbox),
    ("shape", "shape", parse_shape_text),
    ("area", "place_id", _parse_place_id),
    ("end", "end", _parse_end),
    ("from", "from_on", date.fromisoformat),
    ("to", "to_on", date.fromisoformat),
    ("hours", "hours", _parse_hours),
    ("weekdays", "weekdays", parse_weekdays),
    ("compare_from", "compare_from", date.fromisoformat),
    ("compare_to", "compare_to", date.fromisoformat),
    ("precision", "precision", _parse_precision),
    ("play", "is_played", _parse_play),
)
PARAMETERS: Final = tuple(name for name, _, _ in _PARSERS)
