"""Questions in an analyst's own SQL."""

from typing import Final

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import Table
from loader.hub.api.tables import MEDIA, TABLE_MEDIA, choose_format, render_table
from loader.hub.api.trip_params import SqlBody
from loader.hub.api.trip_responses import SqlResponse
from shared.questions.analyst_sql import run_sql

_TRUNCATED: Final = "Tripdeck-Truncated"


class SqlHandler(ApiHandler):
    """The answer to a statement: POST /sql."""

    @Operation(
        "Ask in SQL over the read-only views",
        id="ask_sql",
        params=Table,
        body=SqlBody,
        response=SqlResponse,
        media=TABLE_MEDIA,
    )
    async def post(self, params: Table, body: SqlBody) -> None:
        """Respond with columns and rows; in other forms than JSON a header says whether there are more."""
        services = self.services
        services.unread.check()
        form = choose_format(params.format, self.request.headers.get("Accept", ""), MEDIA.items())

        def answer() -> tuple[bytes | dict[str, object], bool]:
            found = run_sql(services.analyst, body.sql, settings=services.settings, limit=body.limit)
            if form == "json":
                return found.to_json(), found.is_truncated
            table = found.table
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            return render_table(form, table.columns, rows), found.is_truncated

        made, is_truncated = await services.executors.analysts.run(answer)
        if isinstance(made, dict):
            self.respond(made)
            return
        suffix = {"arrow": "arrows"}.get(form, form)
        self.set_header(_TRUNCATED, str(is_truncated).lower())
        self.set_header("Content-Type", MEDIA[form])
        self.set_header("Content-Disposition", f'attachment; filename="answer.{suffix}"')
        self.write(made)
