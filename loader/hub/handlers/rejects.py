"""Rejects of a load: a page as JSON, or all as CSV."""

from collections.abc import Mapping
from typing import Any

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.paging import make_next
from loader.hub.api.params import RejectsParams
from loader.hub.api.responses import RejectsResponse
from loader.hub.api.tables import MEDIA, choose_format
from shared.loads import has_unlisted_rejects, list_rejects
from shared.platform.errors import NotFoundError
from shared.services.database import execute, transaction


class RejectsHandler(ApiHandler):
    """Rejects of a load: GET /loads/{load_id}/rejects."""

    @Operation(
        "Rows that could not become trips, in file order; JSON lists the first of a load, the other forms all",
        id="list_rejects",
        params=RejectsParams,
        response=RejectsResponse,
        media=(MEDIA["csv"],),
    )
    async def get(self, params: RejectsParams) -> None:
        """Respond with a page, or with all as CSV or as rows."""
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
            {"rejects": rejects[: params.limit], "next": make_next(path, params, following), "is_truncated": is_truncated}
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
