"""Base of the handlers of questions: ETags, the executor, and the form of the response."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection
from tornado.iostream import StreamClosedError

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.bodies import Body, BufferedBody
from loader.hub.api.operations import Method, Operation
from loader.hub.api.tables import MEDIA, choose_format, render_table
from loader.hub.api.trip_params import AreaParams, ShapeBody
from loader.hub.support.imports import import_slow
from shared.index.moments import answer_at_one_moment
from shared.services.database import transaction
from shared.small_counts import SmallCounts

Asked = TypeVar("Asked", bound=AreaParams)

# Part of every ETag: raise it when the same data is answered in another form.
_FORM = "2"

# 100,000 vertices with all their digits.
_SHAPE_LIMIT_BYTES: Final = 8 * 2**20

UNCHANGED: Final = {304: "Nothing has changed since the answer with this ETag."}


@dataclass(frozen=True, slots=True)
class Result:
    """An answer as JSON, and as a table for the other forms."""

    document: dict[str, Any]
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    # Token of the last row of a full page.
    last: str | None = None


class QuestionHandler(ApiHandler):
    """Base of the questions: computed in an executor from one committed state, unless the client's ETag still matches."""

    @property
    def small(self) -> SmallCounts:
        """What hides small counts."""
        return SmallCounts(self.services.settings.min_group_trips)

    async def open_body(self, operation: Operation) -> Body:
        """A body that holds a shape."""
        return BufferedBody(_SHAPE_LIMIT_BYTES)

    async def take_area(self, params: Asked) -> Asked:
        """Read the area that the parameters name, if they do. Raises: NotFoundError, RequestError."""
        if params.area_name is None:
            return params

        def read() -> Asked:
            with transaction(self.services.reader) as connection:
                return params.within_named(connection)

        return await self.services.executors.questions.run(read)

    async def ask(
        self,
        question: object,
        compute: Callable[[Connection], Result],
        *,
        form: str | None = None,
        reads_trips: bool = False,
    ) -> None:
        """Respond with the answer in the requested form, from one committed state of the data, whose tag is the ETag."""
        self.services.unread.check()
        chosen = choose_format(form, self.request.headers.get("Accept", ""), MEDIA.items())
        facts = f"{_FORM} {self.request.path} {chosen} {question!r}"
        known = self.request.headers.get("If-None-Match", "") if self.request.method != "POST" else ""

        def look(connection: Connection, version: str) -> tuple[str, Result | None]:
            tag = f'"{hashlib.sha256(f"{version} {facts}".encode()).hexdigest()[:32]}"'
            return tag, None if tag in known else compute(connection)

        def answer() -> tuple[str, bytes | None, str | None]:
            if self.is_gone():  # while it waited for a thread: a page asks anew whenever its box moves
                raise StreamClosedError
            import_slow("numba")  # for the kernels that most questions import
            tag, result = answer_at_one_moment(self.services.reader, look, reads_trips=reads_trips)
            if result is None:
                return tag, None, None
            following = self._name_next(result.last)
            return tag, _render(chosen, result, following), following

        tag, body, following = await self.services.executors.questions.run(answer)
        self.set_header("ETag", tag)
        if body is None:
            self.set_status(304)
            return
        if following:
            self.set_header("Link", f'<{following}>; rel="next"')
        self.set_header("Content-Type", MEDIA[chosen])
        if chosen != "json":
            suffix = {"arrow": "arrows"}.get(chosen, chosen)
            self.set_header("Content-Disposition", f'attachment; filename="{self.request.path.rpartition("/")[2]}.{suffix}"')
        self.write(body)

    def _name_next(self, last: str | None) -> str | None:
        if last is None:
            return None
        params = [(name, value) for name, value in parse_qsl(self.request.query) if name != "after"]
        return f"{self.request.path}?{urlencode([*params, ('after', last)])}"


def in_shape(get: Method) -> Method:
    """Make the method that asks a handler's question by POST, with a shape in the body."""
    operation: Operation = cast(Any, get).operation
    ask: Method = cast(Any, get).__wrapped__

    async def post(self: QuestionHandler, params: AreaParams, body: ShapeBody) -> None:
        await ask(self, await self.services.executors.questions.run(params.within, body))

    summary, name = f"{operation.summary}, in a shape", f"{operation.id}_in_shape"
    return replace(operation, summary=summary, id=name, body=ShapeBody, also={})(post)


def _render(form: str, result: Result, following: str | None) -> bytes:
    if form == "json":
        document = {**result.document, "next": following} if "next" in result.document else result.document
        return json.dumps(document, default=str).encode()
    return render_table(form, result.columns, result.rows)
