"""Publication of a load: request it, look it up."""

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import LoadParams
from loader.hub.api.responses import PublicationResponse
from shared.publications import fetch_publication, request_publication


class PublicationHandler(ApiHandler):
    """A load's files in the object store: GET and POST /loads/{load_id}/publication."""

    @Operation("A load's publication", id="get_publication", params=LoadParams, response=PublicationResponse)
    async def get(self, params: LoadParams) -> None:
        """Respond with the publication."""
        services = self.services
        found = await services.executors.records.run(
            fetch_publication, services.engine, params.load_id, settings=services.settings
        )
        self.respond(found)

    @Operation(
        "Publish a load's trips as GeoParquet files",
        id="publish_load",
        params=LoadParams,
        response=PublicationResponse,
        status=202,
        scope="write",
    )
    async def post(self, params: LoadParams) -> None:
        """Request the publication; one that stands or is on its way stays as it is."""
        services = self.services
        requested = await services.executors.records.run(
            request_publication, services.engine, services.broker, params.load_id, settings=services.settings
        )
        self.respond(requested, status=202)
