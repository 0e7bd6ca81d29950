"""Base of the handlers that load a file sent as the request's body."""

import asyncio
import contextlib
import re
from typing import Final

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.bodies import Body
from loader.hub.api.operations import Operation
from loader.hub.api.params import LoadFileParams
from loader.hub.feed.tail import Reader
from loader.hub.support.errors import KeyTakenError
from loader.hub.uploads.idempotency import KEY_HEADER, KeyedLoad, RepeatedFile, RequestKey, fetch_keyed, make_key
from loader.hub.uploads.incoming import IncomingFile, check_limit
from loader.hub.uploads.uploads import check_size
from shared.domain.load_states import TERMINAL_STATES
from shared.loads import Load, fetch_load
from shared.platform.errors import RequestError, TransientError

# Between looks whether who waits for a load's end is still there.
_WAIT_S: Final = 15.0
# Up to a petabyte; Python refuses to read numbers of thousands of digits.
_LENGTH: Final = re.compile(r"[0-9]{1,15}")


ENDED: Final = {200: "The load, which has ended; only with wait."}
FILE_HEADERS: Final = {
    KEY_HEADER: "A name of this request, drawn at random: sent again with the same file and options, it gives the same load.",
    "Prefer": "wait=SECONDS, as the parameter wait.",
}


class LoadFileHandler(ApiHandler):
    """Streams the body to the object store and requests a load of it. key: the request's idempotency key."""

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
        """Request a load of the file that has come; respond with the load."""
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
        with contextlib.suppress(TransientError, TimeoutError):  # the load is requested, whatever happens to the feed
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


def _parse_length(header: str | None) -> int:
    if header is None:
        return 0
    if not _LENGTH.fullmatch(header):
        raise RequestError("Content-Length is a number of bytes.", parameter="Content-Length")
    return int(header)
