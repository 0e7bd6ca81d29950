"""Cancel, undo and retry of a load."""

from collections.abc import Callable

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import LoadParams, RetryBody
from loader.hub.api.responses import LoadDetailResponse
from shared.loads import Load, cancel_load, retry_load, undo_load


class LoadActionHandler(ApiHandler):
    """Base of the handlers that change the state of a load."""

    action: Callable[..., Load]

    async def act(self, params: LoadParams, **facts: object) -> None:
        """Call the action, notify the publisher, respond with the load."""
        services = self.services
        load = await services.executors.records.run(type(self).action, services.engine, services.broker, params.load_id, **facts)
        self.services.publisher.notify()
        self.respond(load)


class CancelHandler(LoadActionHandler):
    """Cancels a load: POST /loads/{load_id}/cancel."""

    action = staticmethod(cancel_load)

    @Operation(
        "Stop a load; what it loaded is removed", id="cancel_load", params=LoadParams, response=LoadDetailResponse, scope="write"
    )
    async def post(self, params: LoadParams) -> None:
        """Cancel the load."""
        await self.act(params)


class UndoHandler(LoadActionHandler):
    """Undoes a load: POST /loads/{load_id}/undo."""

    action = staticmethod(undo_load)

    @Operation("Remove what a load has loaded", id="undo_load", params=LoadParams, response=LoadDetailResponse, scope="write")
    async def post(self, params: LoadParams) -> None:
        """Undo the load."""
        await self.act(params)


class RetryHandler(LoadActionHandler):
    """Retries a load: POST /loads/{load_id}/retry."""

    action = staticmethod(retry_load)

    @Operation(
        "Go on with a failed load, or begin anew; with options that answer its question",
        id="retry_load",
        params=LoadParams,
        body=RetryBody,
        response=LoadDetailResponse,
        scope="write",
    )
    async def post(self, params: LoadParams, body: RetryBody) -> None:
        """Retry the load."""
        body.options.make(body.options.roles)
        await self.act(params, options=body.options.model_dump(exclude_unset=True))
