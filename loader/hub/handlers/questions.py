"""Questions about trips: weekly average, trip groups, flows, hours, what there is, and the ready questions."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection

from loader.hub.api.base_handler import ApiHandler, choose_format
from loader.hub.api.operations import Operation
from loader.hub.api.params import NoParams, Table
from loader.hub.api.tables import MAP_MEDIA, MEDIA, TABLE_MEDIA, render_table
from loader.hub.api.trip_params import (
    FlowsParams,
    GroupParams,
    GroupsParams,
    HistogramParams,
    HoursParams,
    QuestionParams,
    WeeklyParams,
)
from loader.hub.api.trip_responses import (
    DatasourcesResponse,
    FlowsResponse,
    GroupDetailResponse,
    GroupsResponse,
    HistogramResponse,
    HoursResponse,
    QuestionsResponse,
    RegionsResponse,
    ResultResponse,
    SampleTripResponse,
    WeeklyAverageResponse,
)
from shared.domain.area import Box, parse_bbox
from shared.groups.detail import fetch_group
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.listing import fetch_flows, fetch_hours, list_groups
from shared.groups.question import FlowMap, FlowQuestion, GroupQuestion
from shared.index.moments import answer_at_one_moment
from shared.platform.errors import RequestError
from shared.questions.catalog import list_datasources, list_regions
from shared.questions.challenge import answer_question, list_questions
from shared.questions.histograms import fetch_histogram
from shared.questions.weekly import compare_weekly, fetch_weekly
from shared.small_counts import SmallCounts

# Part of every ETag: raise it when the same data is answered in another form.
_FORM = "2"


UNCHANGED: Final = {304: "Nothing has changed since the answer with this ETag."}


@dataclass(frozen=True, slots=True)
class Result:
    """An answer as JSON, and as a table for the other forms."""

    document: dict[str, Any]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    # Token of the last row of a full page.
    last: str | None = None


class QuestionHandler(ApiHandler):
    """Base of the questions: one state of the data, read in a thread, unless the client's copy is still right."""

    @property
    def small(self) -> SmallCounts:
        """What hides small counts."""
        return SmallCounts(self.services.settings.min_group_trips)

    async def ask(
        self,
        question: object,
        compute: Callable[[Connection], Result],
        *,
        form: str | None = None,
        reads_trips: bool = False,
    ) -> None:
        """Answer a question in the form asked for, from one state of the data, whose tag the answer gets."""
        self.services.unread.check()
        chosen = choose_format(form, self.request.headers.get("Accept", ""), MEDIA.items())
        facts = f"{_FORM} {self.request.path} {chosen} {question!r}"
        known = self.request.headers.get("If-None-Match", "")

        def look(connection: Connection, version: str) -> tuple[str, Result | None]:
            tag = f'"{hashlib.sha256(f"{version} {facts}".encode()).hexdigest()[:32]}"'
            return tag, None if tag in known else compute(connection)

        def answer() -> tuple[str, bytes | None, str | None]:
            tag, result = answer_at_one_moment(self.services.reader, look, reads_trips=reads_trips)
            if result is None:
                return tag, None, None
            following = self._name_next(result.last)
            return tag, _render(chosen, result, following), following

        tag, body, following = await self.services.executors.questions.run(answer)
        self.set_header("ETag", tag)
        if body is None:
            self.set_status(304)
            return
        if following:
            self.set_header("Link", f'<{following}>; rel="next"')
        self.set_header("Content-Type", MEDIA[chosen])
        if chosen != "json":
            suffix = {"arrow": "arrows"}.get(chosen, chosen)
            self.set_header("Content-Disposition", f'attachment; filename="{self.request.path.rpartition("/")[2]}.{suffix}"')
        self.write(body)

    def _name_next(self, last: str | None) -> str | None:
        if last is None:
            return None
        params = [(name, value) for name, value in parse_qsl(self.request.query) if name != "after"]
        return f"{self.request.path}?{urlencode([*params, ('after', last)])}"


class WeeklyAverageHandler(QuestionHandler):
    """Weekly averages."""

    @Operation(
        "Trips per week and their average",
        id="get_weekly_average",
        also=UNCHANGED,
        params=WeeklyParams,
        response=WeeklyAverageResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: WeeklyParams) -> None:
        """Answer with the weeks of the period."""
        question = params.weekly_question()
        other = (params.compare_from, params.compare_to)

        def compute(connection: Connection) -> Result:
            if other == (None, None):
                document = {**self.small.hide(fetch_weekly(connection, question)).to_json(), "comparison": None}
            else:
                compared = compare_weekly(connection, question, from_on=other[0], to_on=other[1])
                self.small.hide(compared.answer)
                self.small.hide(compared.other)
                document = {**compared.answer.to_json(), "comparison": compared.to_json()}
            return Result(document, ("week", "trips", "is_partial"), document["weeks"])

        await self.ask((question, other), compute, form=params.format)


class HistogramHandler(QuestionHandler):
    """Histograms."""

    @Operation(
        "Trips per hour, weekday or duration",
        id="get_histogram",
        also=UNCHANGED,
        params=HistogramParams,
        response=HistogramResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: HistogramParams) -> None:
        """Answer with bars."""
        question, by = params.weekly_question(), params.by

        def compute(connection: Connection) -> Result:
            document = self.small.hide(fetch_histogram(connection, question, by=by)).to_json()
            return Result(document, ("bin", "label", "trips"), document["bins"])

        await self.ask((question, by), compute, form=params.format, reads_trips=by == "duration")


class GroupsHandler(QuestionHandler):
    """Trip groups."""

    @Operation(
        "The largest trip groups",
        id="list_trip_groups",
        also=UNCHANGED,
        params=GroupsParams,
        response=GroupsResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: GroupsParams) -> None:
        """Answer with groups, largest first."""
        settings = self.services.settings
        question = GroupQuestion(
            **params.filters(),
            precision=params.precision or settings.geohash_precision,
            bucket_minutes=params.bucket_minutes or settings.time_bucket_minutes,
            limit=params.limit,
            after=params.after,
        )

        def compute(connection: Connection) -> Result:
            found = self.small.hide_groups(list_groups(connection, question))
            groups = [group.to_json() for group in found]
            last = found[-1].token if len(found) == question.limit else None
            return Result({"groups": groups, "next": None}, GroupsResponse.columns(), groups, last)

        await self.ask(question, compute, form=params.format, reads_trips=True)


class GroupHandler(QuestionHandler):
    """One trip group."""

    @Operation(
        "One trip group: its weeks, hours and newest trips",
        id="get_trip_group",
        also=UNCHANGED,
        params=GroupParams,
        response=GroupDetailResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: GroupParams) -> None:
        """Answer with the group; as a table, with its trips."""
        question = GroupDetailQuestion(
            **params.filters(),
            origin_cell=params.origin_cell,
            destination_cell=params.destination_cell,
            bucket_minute=params.bucket_minute,
            bucket_minutes=params.bucket_minutes or self.services.settings.time_bucket_minutes,
            samples=params.samples,
        )

        def compute(connection: Connection) -> Result:
            document = self.small.hide(fetch_group(connection, question)).to_json()
            return Result(document, tuple(SampleTripResponse.model_fields), document["samples"])

        await self.ask(question, compute, form=params.format, reads_trips=True)


class FlowsHandler(QuestionHandler):
    """Flows."""

    @Operation(
        "The largest flows between cells",
        id="list_flows",
        also=UNCHANGED,
        params=FlowsParams,
        response=FlowsResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: FlowsParams) -> None:
        """Answer with flows, largest first, and the cells they join."""
        question = FlowQuestion(
            **params.filters(),
            viewport=_parse_viewport(params.viewport),
            precision=params.precision or self.services.settings.geohash_precision,
            limit=params.limit,
            after=params.after,
        )

        def compute(connection: Connection) -> Result:
            flow_map = self.small.hide(fetch_flows(connection, question))
            rows = _list_flow_rows(flow_map)
            last = flow_map.flows[-1].token if len(rows) == question.limit else None
            return Result({**flow_map.to_json(), "next": None}, _FLOW_COLUMNS, rows, last)

        await self.ask(question, compute, form=params.format)


class HoursHandler(QuestionHandler):
    """Hours of the day."""

    @Operation(
        "Trips per hour of the day", id="get_hours", also=UNCHANGED, params=HoursParams, response=HoursResponse, media=TABLE_MEDIA
    )
    async def get(self, params: HoursParams) -> None:
        """Answer with 24 numbers."""
        question = FlowQuestion(**params.filters())

        def compute(connection: Connection) -> Result:
            hours = fetch_hours(connection, question)
            self.small.check_total(sum(hours))
            return Result({"hours": hours}, ("hour", "trips"), [{"hour": hour, "trips": hours[hour]} for hour in range(24)])

        await self.ask(question, compute, form=params.format)


class RegionsHandler(QuestionHandler):
    """Regions."""

    @Operation(
        "Regions that have trips", id="list_regions", also=UNCHANGED, params=Table, response=RegionsResponse, media=TABLE_MEDIA
    )
    async def get(self, params: Table) -> None:
        """Answer with regions, most trips first."""
        await self.ask(None, lambda connection: _list_names("regions", list_regions(connection)), form=params.format)


class DatasourcesHandler(QuestionHandler):
    """Datasources."""

    @Operation(
        "Datasources that have trips",
        id="list_datasources",
        also=UNCHANGED,
        params=Table,
        response=DatasourcesResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: Table) -> None:
        """Answer with datasources, most trips first."""
        await self.ask(None, lambda connection: _list_names("datasources", list_datasources(connection)), form=params.format)


class ReadyQuestionsHandler(ApiHandler):
    """The ready questions."""

    @Operation("The ready questions, with their SQL", id="list_questions", response=QuestionsResponse)
    async def get(self, params: NoParams) -> None:
        """Answer with all of them."""
        self.respond({"questions": [question.to_json() for question in list_questions()]})


class ReadyQuestionHandler(QuestionHandler):
    """One ready question."""

    @Operation(
        "The answer to a ready question",
        id="answer_question",
        also=UNCHANGED,
        params=QuestionParams,
        response=ResultResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: QuestionParams) -> None:
        """Answer with columns and rows."""
        parameters = {name: str(value) for name, value in (params.model_extra or {}).items()}

        def compute(connection: Connection) -> Result:
            table = answer_question(connection, params.name, **parameters)
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            return Result(table.to_json(), table.columns, rows)

        await self.ask((params.name, sorted(parameters.items())), compute, form=params.format, reads_trips=True)


_FLOW_COLUMNS = (
    "origin",
    "destination",
    "trips",
    "origin_longitude",
    "origin_latitude",
    "destination_longitude",
    "destination_latitude",
)


def _render(form: str, result: Result, following: str | None) -> bytes:
    if form == "json":
        document = {**result.document, "next": following} if "next" in result.document else result.document
        return json.dumps(document, default=str).encode()
    return render_table(form, result.columns, result.rows)


def _list_flow_rows(flow_map: FlowMap) -> list[dict[str, Any]]:
    places = {location.id: location for location in flow_map.locations}
    return [
        {
            **asdict(flow),
            "origin_longitude": places[flow.origin].longitude,
            "origin_latitude": places[flow.origin].latitude,
            "destination_longitude": places[flow.destination].longitude,
            "destination_latitude": places[flow.destination].latitude,
        }
        for flow in flow_map.flows
    ]


def _list_names(noun: str, found: list[dict[str, Any]]) -> Result:
    rows = [{**row, "first_at": row["first_at"].isoformat(), "last_at": row["last_at"].isoformat()} for row in found]
    return Result({noun: rows}, ("name", "trips", "first_at", "last_at"), rows)


def _parse_viewport(text: str | None) -> Box | None:
    if text is None:
        return None
    try:
        return parse_bbox(text)
    except RequestError as error:
        raise RequestError(error.message, parameter="viewport") from error
