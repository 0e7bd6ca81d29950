"""Regions and datasources that have trips."""

from typing import Any

from loader.hub.api.operations import Operation
from loader.hub.api.params import Table
from loader.hub.api.tables import TABLE_MEDIA
from loader.hub.api.trip_responses import (
    DatasourcesResponse,
    RegionsResponse,
)
from loader.hub.handlers.question_handler import UNCHANGED, QuestionHandler, Result
from shared.questions.catalog import list_datasources, list_regions


class RegionsHandler(QuestionHandler):
    """Regions that have trips: GET /regions."""

    @Operation(
        "Regions that have trips", id="list_regions", also=UNCHANGED, params=Table, response=RegionsResponse, media=TABLE_MEDIA
    )
    async def get(self, params: Table) -> None:
        """Respond with regions, most trips first."""
        await self.ask(None, lambda connection: _list_names("regions", list_regions(connection)), form=params.format)


class DatasourcesHandler(QuestionHandler):
    """Datasources that have trips: GET /datasources."""

    @Operation(
        "Datasources that have trips",
        id="list_datasources",
        also=UNCHANGED,
        params=Table,
        response=DatasourcesResponse,
        media=TABLE_MEDIA,
    )
    async def get(self, params: Table) -> None:
        """Respond with datasources, most trips first."""
        await self.ask(None, lambda connection: _list_names("datasources", list_datasources(connection)), form=params.format)


def _list_names(noun: str, found: list[dict[str, Any]]) -> Result:
    rows = [{**row, "first_at": row["first_at"].isoformat(), "last_at": row["last_at"].isoformat()} for row in found]
    return Result({noun: rows}, ("name", "trips", "first_at", "last_at"), rows)
