"""Sources: add, list, pause, run, retry and remove addresses that workers read trip files from."""

from collections.abc import Callable
from typing import Any

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import (
    NewSourceBody,
    NoParams,
    RetrySourceBody,
    SourceObjectsParams,
    SourceParams,
)
from loader.hub.api.responses import SourceObjectsResponse, SourceResponse, SourcesResponse
from shared.sources import (
    Source,
    add_source,
    fetch_source,
    list_source_objects,
    list_sources,
    pause_source,
    remove_source,
    resume_source,
    retry_source,
    run_source_now,
)


class _SourceHandler(ApiHandler):
    async def call(self, function: Callable[..., Any], /, *args: object, **facts: object) -> Any:  # noqa: ANN401
        """Call a function of sources with the database."""
        return await self.services.executors.records.run(function, self.services.engine, *args, **facts)


class SourcesHandler(_SourceHandler):
    """All sources: GET and POST /sources."""

    @Operation("Sources, newest first", id="list_sources", response=SourcesResponse)
    async def get(self, params: NoParams) -> None:
        """Respond with all of them."""
        self.respond({"sources": await self.call(list_sources)})

    @Operation(
        "Read an address, once or whenever there is something new",
        id="add_source",
        body=NewSourceBody,
        response=SourceResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: NoParams, body: NewSourceBody) -> None:
        """Respond with the source; a worker lists it at once."""
        options = body.options.make(body.options.roles).to_json()
        facts = body.model_dump(include={"on_drift", "is_watched", "interval_s"})
        settings = self.services.settings
        source = await self.call(add_source, self.services.broker, body.address, options=options, settings=settings, **facts)
        self.respond(source, status=201, location=f"/api/v1/sources/{source['source_id']}")


class SourceHandler(_SourceHandler):
    """One source: GET and DELETE /sources/{source_id}."""

    @Operation("One source", id="get_source", params=SourceParams, response=SourceResponse)
    async def get(self, params: SourceParams) -> None:
        """Respond with the source."""
        self.respond(await self.call(fetch_source, params.source_id))

    @Operation("Forget a source; its loads stay", id="remove_source", params=SourceParams, status=204, scope="write")
    async def delete(self, params: SourceParams) -> None:
        """Delete the source and what is known of its objects."""
        await self.call(remove_source, params.source_id)
        self.set_status(204)


class SourceObjectsHandler(_SourceHandler):
    """Objects of a source: GET /sources/{source_id}/objects."""

    @Operation(
        "Objects of a source in the order they were found, with the state of their loads",
        id="list_source_objects",
        params=SourceObjectsParams,
        response=SourceObjectsResponse,
    )
    async def get(self, params: SourceObjectsParams) -> None:
        """Respond with a page."""
        found = await self.call(list_source_objects, params.source_id, after=params.after, limit=params.limit, state=params.state)
        state = f"&state={params.state}" if params.state else ""
        path = f"/api/v1/sources/{params.source_id}/objects?limit={params.limit}{state}"
        more = f"{path}&after={found[-1]['source_object_id']}" if len(found) == params.limit else None
        self.respond({"objects": found, "next": more})


class _ActionHandler(_SourceHandler):
    async def act(self, function: Callable[..., Source], params: SourceParams, **facts: object) -> None:
        """Call a function of one source, and respond with the source."""
        self.respond(await self.call(function, self.services.broker, params.source_id, **facts))


class PauseSourceHandler(_SourceHandler):
    """Pauses a source: POST /sources/{source_id}/pause."""

    @Operation("Read no more of a source", id="pause_source", params=SourceParams, response=SourceResponse, scope="write")
    async def post(self, params: SourceParams) -> None:
        """Pause the source after the object at hand."""
        self.respond(await self.call(pause_source, params.source_id))


class ResumeSourceHandler(_ActionHandler):
    """Goes on with a source: POST /sources/{source_id}/resume."""

    @Operation("Go on with a paused source", id="resume_source", params=SourceParams, response=SourceResponse, scope="write")
    async def post(self, params: SourceParams) -> None:
        """Resume the source."""
        await self.act(resume_source, params)


class RunSourceHandler(_ActionHandler):
    """Lists a source now: POST /sources/{source_id}/run."""

    @Operation("List a source now", id="run_source", params=SourceParams, response=SourceResponse, status=202, scope="write")
    async def post(self, params: SourceParams) -> None:
        """Have a worker list the source."""
        self.respond(await self.call(run_source_now, self.services.broker, params.source_id), status=202)


class RetrySourceHandler(_ActionHandler):
    """Reads objects again: POST /sources/{source_id}/retry."""

    @Operation(
        "Read objects again that failed, wait or were refused; a changed header is taken",
        id="retry_source",
        params=SourceParams,
        body=RetrySourceBody,
        response=SourceResponse,
        scope="write",
    )
    async def post(self, params: SourceParams, body: RetrySourceBody) -> None:
        """Have one object read again, or all that wait for a person."""
        await self.act(retry_source, params, source_object_id=body.source_object_id)
