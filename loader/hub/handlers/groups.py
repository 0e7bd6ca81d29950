"""Trip groups, flows and hours of the day."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from loader.hub.api.operations import Operation
from loader.hub.api.tables import MAP_MEDIA, TABLE_MEDIA
from loader.hub.api.trip_params import (
    FlowsParams,
    GroupParams,
    GroupsParams,
    HoursParams,
)
from loader.hub.api.trip_responses import (
    FlowsResponse,
    GroupDetailResponse,
    GroupsResponse,
    HoursResponse,
    SampleTripResponse,
)
from loader.hub.handlers.question_handler import UNCHANGED, QuestionHandler, Result, in_shape
from shared.domain.area import Box, parse_bbox
from shared.groups.detail import fetch_group
from shared.groups.detail_question import GroupDetailQuestion
from shared.groups.listing import fetch_flows, fetch_hours, list_groups
from shared.groups.question import FlowMap, FlowQuestion, GroupQuestion
from shared.platform.errors import RequestError

_FLOW_COLUMNS = (
    "origin",
    "destination",
    "trips",
    "origin_longitude",
    "origin_latitude",
    "destination_longitude",
    "destination_latitude",
)


class GroupsHandler(QuestionHandler):
    """The largest trip groups: GET /trip-groups, and POST with a shape."""

    @Operation(
        "The largest trip groups",
        id="list_trip_groups",
        also=UNCHANGED,
        params=GroupsParams,
        response=GroupsResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: GroupsParams) -> None:
        """Respond with groups, largest first."""
        params = await self.take_area(params)
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

        await self.ask(question, compute, form=params.format)

    post = in_shape(get)


class GroupHandler(QuestionHandler):
    """One trip group in detail: GET /trip-groups/detail, and POST with a shape."""

    @Operation(
        "One trip group: its weeks, hours and newest trips",
        id="get_trip_group",
        also=UNCHANGED,
        params=GroupParams,
        response=GroupDetailResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: GroupParams) -> None:
        """Respond with the group; as a table, with its trips."""
        params = await self.take_area(params)
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

    post = in_shape(get)


class FlowsHandler(QuestionHandler):
    """The largest flows between cells: GET /flows, and POST with a shape."""

    @Operation(
        "The largest flows between cells",
        id="list_flows",
        also=UNCHANGED,
        params=FlowsParams,
        response=FlowsResponse,
        media=MAP_MEDIA,
    )
    async def get(self, params: FlowsParams) -> None:
        """Respond with flows, largest first, and the cells they join."""
        params = await self.take_area(params)
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

    post = in_shape(get)


class HoursHandler(QuestionHandler):
    """Trips per hour of the day: GET /hours, and POST with a shape."""

    @Operation(
        "Trips per hour of the day", id="get_hours", also=UNCHANGED, params=HoursParams, response=HoursResponse, media=TABLE_MEDIA
    )
    async def get(self, params: HoursParams) -> None:
        """Respond with 24 numbers."""
        params = await self.take_area(params)
        question = FlowQuestion(**params.filters())

        def compute(connection: Connection) -> Result:
            hours = fetch_hours(connection, question)
            self.small.check_total(sum(hours))
            return Result({"hours": hours}, ("hour", "trips"), [{"hour": hour, "trips": hours[hour]} for hour in range(24)])

        await self.ask(question, compute, form=params.format)

    post = in_shape(get)


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


def _parse_viewport(text: str | None) -> Box | None:
    if text is None:
        return None
    try:
        return parse_bbox(text)
    except RequestError as error:
        raise RequestError(error.message, parameter="viewport") from error
