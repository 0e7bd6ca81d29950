"""Loads: the list, one, a new one from a request's body, its rejects, and cancel, undo, retry."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from loader.hub.api.base_handler import ApiHandler, Body, choose_format
from loader.hub.api.operations import Operation
from loader.hub.api.params import LoadAsked, LoadFileAsked, LoadsAsked, RejectsAsked, RetryBody
from loader.hub.api.responses import LoadDetailAnswer, LoadsAnswer, RejectsAnswer
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
        asked = self.asked
        assert isinstance(asked, LoadFileAsked)  # noqa: S101 - for the type checker: the operation says so
        self.key = make_key(self.request.headers.get(KEY_HEADER), (asked.file_name, asked.make_options().to_json()))
        length = self.request.headers.get("Content-Length")
        announced = _parse_length(length)
        if length is not None:
            check_size(announced)
            check_limit(announced, self.services.settings.upload_limit_bytes)
        if self.key and (found := await self._fetch_keyed(self.key)):
            return RepeatedFile(found)
        return IncomingFile(
            self.services, asked.file_name, announced_bytes=announced, pace=self.pace, give_up=self.refuse_slow, key=self.key
        )

    async def request_load(self, asked: LoadFileAsked) -> None:
        """Ask for a load of the file that has come; answer with it as it then is."""
        wait_s = asked.count_wait_s(self.request.headers.get_list("Prefer"))
        last = self.services.feed.position
        load_id = await self._finish(asked)
        self.services.publisher.notify()
        if wait_s:
            self.set_header("Preference-Applied", f"wait={wait_s}")
            await self._wait_for_end(self.services.feed.read(last=last, load_id=load_id), load_id, wait_s=wait_s)
        load = await self._fetch(load_id)
        has_ended = bool(wait_s) and load["state"] in TERMINAL_STATES
        self.answer(load, status=200 if has_ended else 202, location=f"/api/v1/loads/{load_id}")

    async def _fetch_keyed(self, key: RequestKey) -> KeyedLoad | None:
        retention_s = self.services.settings.idempotency_retention_s
        return await self.services.rooms.records.run(fetch_keyed, self.services.engine, key, retention_s=retention_s)

    async def _finish(self, asked: LoadFileAsked) -> int:
        if isinstance(self.body, RepeatedFile):
            self.set_header("Idempotency-Replayed", "true")
            return self.body.check()
        assert isinstance(self.body, IncomingFile)  # noqa: S101 - for the type checker
        try:
            return await self.body.finish(asked.make_options().to_json())
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
        return await self.services.rooms.records.run(fetch_load, self.services.engine, load_id)


class LoadsHandler(_LoadFileHandler):
    """All loads."""

    @Operation("Loads, newest first", id="list_loads", asked=LoadsAsked, answer=LoadsAnswer)
    async def get(self, asked: LoadsAsked) -> None:
        """Answer with a page."""
        loads = await self.services.rooms.records.run(
            list_loads, self.services.engine, before=asked.before, limit=asked.limit + 1, state=asked.state
        )
        following = {"before": loads[asked.limit - 1]["load_id"]} if len(loads) > asked.limit else None
        self.answer({"loads": loads[: asked.limit], "next": _make_next("/api/v1/loads", asked, following)})

    @Operation(
        "Load a file sent as the body",
        id="load_file",
        asked=LoadFileAsked,
        file_body="The file.",
        answer=LoadDetailAnswer,
        status=202,
        also=ENDED,
        headers=FILE_HEADERS,
        scope="write",
    )
    async def post(self, asked: LoadFileAsked) -> None:
        """Ask for a load of the body."""
        await self.request_load(asked)


class LoadHandler(_LoadFileHandler):
    """One load, or a file to load."""

    @Operation("One load, with its rejects per reason", id="get_load", asked=LoadAsked, answer=LoadDetailAnswer)
    async def get(self, asked: LoadAsked) -> None:
        """Answer with the load."""
        self.answer(await self.services.rooms.records.run(fetch_load, self.services.engine, asked.load_id))

    @Operation(
        "Load a file sent as the body: another address of put_file",
        id="put_load",
        asked=LoadFileAsked,
        is_alias=True,
        file_body="The file.",
        answer=LoadDetailAnswer,
        status=202,
        scope="write",
    )
    async def put(self, asked: LoadFileAsked) -> None:
        """Ask for a load of the body."""
        await self.request_load(asked)

    def read_path(self) -> dict[str, str]:
        """The parameter in the path: where a file is put, its name."""
        name = "file_name" if self.request.method == "PUT" else "load_id"
        return {name: self.path_kwargs["load_id"]}


class FileHandler(_LoadFileHandler):
    """A file to load."""

    @Operation(
        "Load a file sent as the body (curl -T FILE …/api/v1/files/)",
        id="put_file",
        asked=LoadFileAsked,
        file_body="The file.",
        answer=LoadDetailAnswer,
        status=202,
        also=ENDED,
        headers=FILE_HEADERS,
        scope="write",
    )
    async def put(self, asked: LoadFileAsked) -> None:
        """Ask for a load of the body."""
        await self.request_load(asked)


class RejectsHandler(ApiHandler):
    """A load's rejects."""

    @Operation(
        "Rows that could not become trips, in file order; JSON lists the first of a load, the other forms all",
        id="list_rejects",
        asked=RejectsAsked,
        answer=RejectsAnswer,
        media=(MEDIA["csv"],),
    )
    async def get(self, asked: RejectsAsked) -> None:
        """Answer with a page, or with all as CSV or as rows."""
        load = await self.services.rooms.records.run(self._find_load, asked.load_id)
        accepted = self.request.headers.get("Accept", "")
        form = choose_format(asked.format, accepted, [("csv", MEDIA["csv"]), ("json", MEDIA["json"])])
        if form != "json":
            await self._send_all(load, asked, form=form)
            return
        rejects = await self._list_page(asked, asked.after, limit=asked.limit + 1)
        following = {"after": rejects[asked.limit - 1]["record"]} if len(rejects) > asked.limit else None
        path = f"/api/v1/loads/{asked.load_id}/rejects"
        is_truncated = following is None and await self._has_more(asked)
        self.answer({"rejects": rejects[: asked.limit], "next": _make_next(path, asked, following), "is_truncated": is_truncated})

    async def _has_more(self, asked: RejectsAsked) -> bool:
        run = self.services.rooms.records.run
        return await run(has_unlisted_rejects, self.services.engine, asked.load_id, reason=asked.reason)

    def _find_load(self, load_id: int) -> Mapping[str, Any]:
        with transaction(self.services.engine) as connection:
            load = execute(connection, "fetch_load", load_id=load_id).mappings().one_or_none()
        if load is None:
            raise NotFoundError(f"There is no load {load_id}.", load_id=load_id)
        return dict(load)

    async def _send_all(self, load: Mapping[str, Any], asked: RejectsAsked, *, form: str) -> None:
        from loader.storage.rejects import KeptRejects, RejectQuery, render_rejects  # with polars a third of the hub's start

        question = RejectQuery("rows" if form == "rows" else "csv", asked.reason, asked.after)
        room, services = self.services.rooms.transfers, self.services
        blocks = await room.run(render_rejects, KeptRejects(services.engine, services.store, load), question)
        name = "rejected-rows-of-load" if form == "rows" else "rejects-of-load"
        self.set_header("Content-Type", f"{MEDIA['csv']}; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{name}-{asked.load_id}.csv"')
        while (block := await room.run(next, blocks, None)) is not None:
            self.write(block)
            await self.flush()  # no more than a page waits for a slow client

    async def _list_page(self, asked: RejectsAsked, after: int, *, limit: int) -> list[dict[str, Any]]:
        return await self.services.rooms.records.run(
            list_rejects, self.services.engine, asked.load_id, after=after, limit=limit, reason=asked.reason
        )


class LoadActionHandler(ApiHandler):
    """Base of what can be done to a load."""

    action: Callable[..., Load]

    async def act(self, asked: LoadAsked, **facts: object) -> None:
        """Do it, tell everybody, answer with the load."""
        services = self.services
        load = await services.rooms.records.run(type(self).action, services.engine, services.broker, asked.load_id, **facts)
        self.services.publisher.notify()
        self.answer(load)


class CancelHandler(LoadActionHandler):
    """Cancel."""

    action = staticmethod(cancel_load)

    @Operation(
        "Stop a load; what it loaded is removed", id="cancel_load", asked=LoadAsked, answer=LoadDetailAnswer, scope="write"
    )
    async def post(self, asked: LoadAsked) -> None:
        """Cancel the load."""
        await self.act(asked)


class UndoHandler(LoadActionHandler):
    """Undo."""

    action = staticmethod(undo_load)

    @Operation("Remove what a load has loaded", id="undo_load", asked=LoadAsked, answer=LoadDetailAnswer, scope="write")
    async def post(self, asked: LoadAsked) -> None:
        """Undo the load."""
        await self.act(asked)


class RetryHandler(LoadActionHandler):
    """Retry."""

    action = staticmethod(retry_load)

    @Operation(
        "Go on with a failed load, or begin anew; with options that answer its question",
        id="retry_load",
        asked=LoadAsked,
        body=RetryBody,
        answer=LoadDetailAnswer,
        scope="write",
    )
    async def post(self, asked: LoadAsked, body: RetryBody) -> None:
        """Retry the load."""
        body.options.make(body.options.roles)
        await self.act(asked, options=body.options.model_dump(exclude_unset=True))


def _parse_length(header: str | None) -> int:
    if header is None:
        return 0
    if not _LENGTH.fullmatch(header):
        raise RequestError("Content-Length is a number of bytes.", parameter="Content-Length")
    return int(header)


def _make_next(path: str, asked: LoadsAsked | RejectsAsked, following: dict[str, int] | None) -> str | None:
    if following is None:
        return None
    given = asked.model_dump(exclude_unset=True, exclude_none=True, exclude={"load_id"})
    return f"{path}?{urlencode({**given, **following})}"
