"""Inspection: what the loader makes of a file's first bytes, before anything is stored."""

from collections.abc import Mapping
from typing import Any, Final

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.bodies import Body, BufferedBody
from loader.hub.api.operations import Operation
from loader.hub.api.params import InspectParams, ReadingParams
from loader.hub.api.responses import InspectResponse
from loader.hub.inspection.pool import InspectRequest
from loader.hub.uploads.uploads import check_size
from shared.platform.errors import FileFormatError

LIMIT_BYTES: Final = 8 * 2**20


class InspectHandler(ApiHandler):
    """How a file would be read: POST /inspect."""

    async def open_body(self, operation: Operation) -> Body:
        """Keep the file's first bytes."""
        return BufferedBody(LIMIT_BYTES)

    @Operation(
        "What the loader makes of a file's first bytes (at most 8 MiB)",
        id="inspect_file",
        params=InspectParams,
        file_body="The first bytes of the file, or parts of it.",
        response=InspectResponse,
    )
    async def post(self, params: InspectParams) -> None:
        """Respond with the plan, the first trips and the first rejects."""
        assert isinstance(self.body, BufferedBody)  # noqa: S101 - for the type checker
        sample = bytes(self.body.data)
        check_size(len(sample))
        request = InspectRequest(
            params.file_name, params.make_options().to_json(), params.is_whole, parts=params.list_parts(), bytes=params.bytes
        )
        self.respond(await self.services.inspections.inspect(request, sample, look_up=self._look_up))

    def _look_up(self, asked: Mapping[str, Any]) -> Any:  # noqa: ANN401 - plain JSON
        """Look up in the database what an inspection asks for."""
        from loader.storage.place_lookups import fetch_places, match_places  # with polars a third of the hub's start
        from loader.storage.remembered_options import fetch_remembered

        engine = self.services.engine
        if asked["ask"] == "remembered":
            return fetch_remembered(engine, asked["header_hashes"])
        if asked["ask"] == "match":
            return match_places(engine, asked["columns"], asked["values"])
        try:
            return fetch_places(engine, asked["name"])
        except FileFormatError as error:
            return {"problem": error.message}


class ReadingHandler(ApiHandler):
    """Remembered options of files of a kind: DELETE /readings/{header_hash}."""

    @Operation(
        "Forget how files of this kind were read last time", id="forget_reading", params=ReadingParams, status=204, scope="write"
    )
    async def delete(self, params: ReadingParams) -> None:
        """Delete the remembered options."""
        from loader.storage.remembered_options import forget_options

        await self.services.executors.records.run(forget_options, self.services.engine, params.header_hash)
        self.set_status(204)
