"""Loads: the list, one, and a new one from a file sent as the body."""

from functools import partial
from typing import Final

from loader.hub.api.operations import Operation
from loader.hub.api.paging import make_next
from loader.hub.api.params import LoadFileParams, LoadParams, LoadsParams
from loader.hub.api.responses import LoadDetailResponse, LoadsResponse
from loader.hub.handlers.load_file import ENDED, FILE_HEADERS, LoadFileHandler
from shared.loads import fetch_load, list_loads

_LOAD_FILE: Final = partial(
    Operation,
    params=LoadFileParams,
    file_body="The file.",
    response=LoadDetailResponse,
    status=202,
    scope="write",
)


class LoadsHandler(LoadFileHandler):
    """The list of loads, and new ones: GET and POST /loads."""

    @Operation("Loads, newest first", id="list_loads", params=LoadsParams, response=LoadsResponse)
    async def get(self, params: LoadsParams) -> None:
        """Respond with a page."""
        loads = await self.services.executors.records.run(
            list_loads, self.services.engine, before=params.before, limit=params.limit + 1, state=params.state
        )
        following = {"before": loads[params.limit - 1]["load_id"]} if len(loads) > params.limit else None
        self.respond({"loads": loads[: params.limit], "next": make_next("/api/v1/loads", params, following)})

    @_LOAD_FILE("Load a file sent as the body", id="load_file", also=ENDED, headers=FILE_HEADERS)
    async def post(self, params: LoadFileParams) -> None:
        """Request a load of the body."""
        await self.request_load(params)


class LoadHandler(LoadFileHandler):
    """One load: GET /loads/{load_id}; PUT loads a file of that name."""

    @Operation("One load, with its rejects per reason", id="get_load", params=LoadParams, response=LoadDetailResponse)
    async def get(self, params: LoadParams) -> None:
        """Respond with the load."""
        self.respond(await self.services.executors.records.run(fetch_load, self.services.engine, params.load_id))

    @_LOAD_FILE("Load a file sent as the body: another address of put_file", id="put_load", is_alias=True)
    async def put(self, params: LoadFileParams) -> None:
        """Request a load of the body."""
        await self.request_load(params)

    def read_path(self) -> dict[str, str]:
        """The parameter in the path: where a file is put, its name."""
        name = "file_name" if self.request.method == "PUT" else "load_id"
        return {name: self.path_kwargs["load_id"]}


class FileHandler(LoadFileHandler):
    """A new load of a file by its name: PUT /files/{file_name}."""

    @_LOAD_FILE("Load a file sent as the body (curl -T FILE …/api/v1/files/)", id="put_file", also=ENDED, headers=FILE_HEADERS)
    async def put(self, params: LoadFileParams) -> None:
        """Request a load of the body."""
        await self.request_load(params)
