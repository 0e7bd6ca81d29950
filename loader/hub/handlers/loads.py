"""Loads: the list, one, a new one from a request's body, its rejects, and cancel, undo, retry."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from loader.hub.api.base_handler import ApiHandler, Body, choose_format
from loader.hub.api.operations import Operation
from loader.hub.api.params import LoadFileParams, LoadParams, LoadsParams, RejectsParams, RetryBody
from loader.hub.api.responses import LoadDetailResponse, LoadsResponse, RejectsResponse
from loader.hub.api.tables import MEDIA
from loader.hub.feed.tail import Reader
from loader.hub.support.errors import KeyTakenError
from loader.hub.uploads.idempotency import KEY_HEADER, KeyedLoad, RepeatedFile, RequestKey, fetch_keyed, make_key
from loader.hub.uploads.incoming import IncomingFile, check_limit
from loader.hub.uploads.uploads import check_size
from shared.events import TERMINAL_STATES
from shared.loads import Load, cancel_load, fetch_load, has_unlisted_rejects, list_loads, list_rejects, retry_load, undo_load
from shared.platform.errors import NotFoundError, RequestError, TransientError
from shared.services.database import execute, transaction

# Between looks whether who waits for a load's end is still there.
_WAIT_S: Final = 15.0
# Up to a petabyte; Python refuses to read numbers of thousands of digits.
_LENGTH: Final = re.compile(r"[0-9]{1,15}")


ENDED: Final = {200: "The load, which has ended; only with wait."}
FILE_HEADERS: Final = {
    KEY_HEADER: "A name of this request, drawn at random: sent again with the same file and options, it gives the same load.",
    "Prefer": "wait=SECONDS, as the parameter wait.",
}


class _LoadFileHandler(ApiHandler):
    key: RequestKey | None = None

    async def open_body(self, operation: Operation) -> Body:
        """Send a file's bytes on to the object store, or only look whether they are those that came before."""
        if operation.file_body is None:
            return await super().open_body(operation)
        params = self.params
        assert isinstance(params, LoadFileParams)  # noqa: S101 - for the type checker: the operation says so
        self.key = make_key(self.request.headers.get(KEY_HEADER), (params.file_name, params.make_options().to_json()))
        length = self.request.headers.get("Content-Length")
        announced = _parse_length(length)
        if length is not None:
            check_size(announced)
            check_limit(announced, self.services.settings.upload_limit_bytes)
        if self.key and (found := await self._fetch_keyed(self.key)):
            return RepeatedFile(found)
        return IncomingFile(
            self.services, params.file_name, announced_bytes=announced, pace=self.pace, give_up=self.refuse_slow, key=self.key
        )

    async def request_load(self, params: LoadFileParams) -> None:
        """Ask for a load of the file that has come; answer with it as it then is."""
        wait_s = params.count_wait_s(self.request.headers.get_list("Prefer"))
        last = self.services.feed.position
        load_id = await self._finish(params)
        self.services.publisher.notify()
        if wait_s:
            self.set_header("Preference-Applied", f"wait={wait_s}")
            await self._wait_for_end(self.services.feed.read(last=last, load_id=load_id), load_id, wait_s=wait_s)
        load = await self._fetch(load_id)
        has_ended = bool(wait_s) and load["state"] in TERMINAL_STATES
        self.respond(load, status=200 if has_ended else 202, location=f"/api/v1/loads/{load_id}")

    async def _fetch_keyed(self, key: RequestKey) -> KeyedLoad | None:
        retention_s = self.services.settings.idempotency_retention_s
        return await self.services.executors.records.run(fetch_keyed, self.services.engine, key, retention_s=retention_s)

    async def _finish(self, params: LoadFileParams) -> int:
        if isinstance(self.body, RepeatedFile):
            self.set_header("Idempotency-Replayed", "true")
            return self.body.check()
        assert isinstance(self.body, IncomingFile)  # noqa: S101 - for the type checker
        try:
            return await self.body.finish(params.make_options().to_json())
        except KeyTakenError as error:  # by the same request, which was quicker
            self.set_header("Idempotency-Replayed", "true")
            return error.load_id

    async def _wait_for_end(self, reader: Reader, load_id: int, *, wait_s: int) -> None:
        with contextlib.suppress(TransientError, TimeoutError):  # the load is asked for, whatever happens to the feed
            async with asyncio.timeout(wait_s):
                await self._follow_to_end(reader, load_id)

    async def _follow_to_end(self, reader: Reader, load_id: int) -> None:
        while not self.is_gone():
            if (await self._fetch(load_id))["state"] in TERMINAL_STATES:
                return
            await self._wait_for_news(reader)

    async def _wait_for_news(self, reader: Reader) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_S):
                while not any(message.is_terminal or not message.load_id for message in await reader.next_messages()):
                    pass

    async def _fetch(self, load_id: int) -> Load:
        return await self.services.executors.records.run(fetch_load, self.services.engine, load_id)


class LoadsHandler(_LoadFileHandler):
    """All loads."""

    @Operation("Loads, newest first", id="list_loads", params=LoadsParams, response=LoadsResponse)
    async def get(self, params: LoadsParams) -> None:
        """Answer with a page."""
        loads = await self.services.executors.records.run(
            list_loads, self.services.engine, before=params.before, limit=params.limit + 1, state=params.state
        )
        following = {"before": loads[params.limit - 1]["load_id"]} if len(loads) > params.limit else None
        self.respond({"loads": loads[: params.limit], "next": _make_next("/api/v1/loads", params, following)})

    @Operation(
        "Load a file sent as the body",
        id="load_file",
        params=LoadFileParams,
        file_body="The file.",
        response=LoadDetailResponse,
        status=202,
        also=ENDED,
        headers=FILE_HEADERS,
        scope="write",
    )
    async def post(self, params: LoadFileParams) -> None:
        """Ask for a load of the body."""
        await self.request_load(params)


class LoadHandler(_LoadFileHandler):
    """One load, or a file to load."""

    @Operation("One load, with its rejects per reason", id="get_load", params=LoadParams, response=LoadDetailResponse)
    async def get(self, params: LoadParams) -> None:
        """Answer with the load."""
        self.respond(await self.services.executors.records.run(fetch_load, self.services.engine, params.load_id))

    @Operation(
        "Load a file sent as the body: another address of put_file",
        id="put_load",
        params=LoadFileParams,
        is_alias=True,
        file_body="The file.",
        response=LoadDetailResponse,
        status=202,
        scope="write",
    )
    async def put(self, params: LoadFileParams) -> None:
        """Ask for a load of the body."""
        await self.request_load(params)

    def read_path(self) -> dict[str, str]:
        """The parameter in the path: where a file is put, its name."""
        name = "file_name" if self.request.method == "PUT" else "load_id"
        return {name: self.path_kwargs["load_id"]}


class FileHandler(_LoadFileHandler):
    """A file to load."""

    @Operation(
        "Load a file sent as the body (curl -T FILE …/api/v1/files/)",
        id="put_file",
        params=LoadFileParams,
        file_body="The file.",
        response=LoadDetailResponse,
        status=202,
        also=ENDED,
        headers=FILE_HEADERS,
        scope="write",
    )
    async def put(self, params: LoadFileParams) -> None:
        """Ask for a load of the body."""
        await self.request_load(params)


class RejectsHandler(ApiHandler):
    """A load's rejects."""

    @Operation(
        "Rows that could not become trips, in file order; JSON lists the first of a load, the other forms all",
        id="list_rejects",
        params=RejectsParams,
        response=RejectsResponse,
        media=(MEDIA["csv"],),
    )
    async def get(self, params: RejectsParams) -> None:
        """Answer with a page, or with all as CSV or as rows."""
        load = await self.services.executors.records.run(self._find_load, params.load_id)
        accepted = self.request.headers.get("Accept", "")
        form = choose_format(params.format, accepted, [("csv", MEDIA["csv"]), ("json", MEDIA["json"])])
        if form != "json":
            await self._send_all(load, params, form=form)
            return
        rejects = await self._list_page(params, params.after, limit=params.limit + 1)
        following = {"after": rejects[params.limit - 1]["record"]} if len(rejects) > params.limit else None
        path = f"/api/v1/loads/{params.load_id}/rejects"
        is_truncated = following is None and await self._has_more(params)
        self.respond(
            {"rejects": rejects[: params.limit], "next": _make_next(path, params, following), "is_truncated": is_truncated}
        )

    async def _has_more(self, params: RejectsParams) -> bool:
        run = self.services.executors.records.run
        return await run(has_unlisted_rejects, self.services.engine, params.load_id, reason=params.reason)

    def _find_load(self, load_id: int) -> Mapping[str, Any]:
        with transaction(self.services.engine) as connection:
            load = execute(connection, "fetch_load", load_id=load_id).mappings().one_or_none()
        if load is None:
            raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
        return dict(load)

    async def _send_all(self, load: Mapping[str, Any], params: RejectsParams, *, form: str) -> None:
        from loader.storage.rejects import KeptRejects, RejectQuery, render_rejects  # with polars a third of the hub's start

        question = RejectQuery("rows" if form == "rows" else "csv", params.reason, params.after)
        executor, services = self.services.executors.transfers, self.services
        blocks = await executor.run(render_rejects, KeptRejects(services.engine, services.store, load), question)
        name = "rejected-rows-of-load" if form == "rows" else "rejects-of-load"
        self.set_header("Content-Type", f"{MEDIA['csv']}; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{name}-{params.load_id}.csv"')
        while (block := await executor.run(next, blocks, None)) is not None:
            self.write(block)
            await self.flush()  # no more than a page waits for a slow client

    async def _list_page(self, params: RejectsParams, after: int, *, limit: int) -> list[dict[str, Any]]:
        return await self.services.executors.records.run(
            list_rejects, self.services.engine, params.load_id, after=after, limit=limit, reason=params.reason
        )


class LoadActionHandler(ApiHandler):
    """Base of what can be done to a load."""

    action: Callable[..., Load]

    async def act(self, params: LoadParams, **facts: object) -> None:
        """Do it, tell everybody, answer with the load."""
        services = self.services
        load = await services.executors.records.run(type(self).action, services.engine, services.broker, params.load_id, **facts)
        self.services.publisher.notify()
        self.respond(load)


class CancelHandler(LoadActionHandler):
    """Cancel."""

    action = staticmethod(cancel_load)

    @Operation(
        "Stop a load; what it loaded is removed", id="cancel_load", params=LoadParams, response=LoadDetailResponse, scope="write"
    )
    async def post(self, params: LoadParams) -> None:
        """Cancel the load."""
        await self.act(params)


class UndoHandler(LoadActionHandler):
    """Undo."""

    action = staticmethod(undo_load)

    @Operation("Remove what a load has loaded", id="undo_load", params=LoadParams, response=LoadDetailResponse, scope="write")
    async def post(self, params: LoadParams) -> None:
        """Undo the load."""
        await self.act(params)


class RetryHandler(LoadActionHandler):
    """Retry."""

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


def _parse_length(header: str | None) -> int:
    if header is None:
        return 0
    if not _LENGTH.fullmatch(header):
        raise RequestError("Content-Length is a number of bytes.", parameter="Content-Length")
    return int(header)


def _make_next(path: str, params: LoadsParams | RejectsParams, following: dict[str, int] | None) -> str | None:
    if following is None:
        return None
    given = params.model_dump(exclude_unset=True, exclude_none=True, exclude={"load_id"})
    return f"{path}?{urlencode({**given, **following})}"
