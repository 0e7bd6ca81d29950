"""Inspection: what the loader makes of a file's first bytes, before anything is stored."""

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from loader.hub.answers import InspectAnswer
from loader.hub.asked import InspectAsked, ReadingAsked
from loader.hub.handler import ApiHandler, Body, BufferedBody
from loader.hub.operations import Operation
from loader.hub.uploads import check_size

if TYPE_CHECKING:
    from loader.formats import LoadOptions

LIMIT_BYTES: Final = 8 * 2**20


class InspectHandler(ApiHandler):
    """Inspections."""

    async def open_body(self, operation: Operation) -> Body:
        """Keep the file's first bytes."""
        return BufferedBody(LIMIT_BYTES)

    @Operation(
        "What the loader makes of a file's first bytes (at most 8 MiB)",
        asked=InspectAsked,
        file_body="The first bytes of the file, or parts of it.",
        answer=InspectAnswer,
    )
    async def post(self, asked: InspectAsked) -> None:
        """Answer with the plan, the first trips and the first rejects."""
        assert isinstance(self.body, BufferedBody)  # noqa: S101 - for the type checker
        sample = bytes(self.body.data)
        check_size(len(sample))
        options = asked.make_options()
        engine = self.services.engine
        self.answer(await self.services.rooms.transfers.run(inspect_sample, engine, sample, asked=asked, options=options))


class ReadingHandler(ApiHandler):
    """What is remembered for files of a kind."""

    @Operation("Forget how files of this kind were read last time", asked=ReadingAsked, status=204, scope="write")
    async def delete(self, asked: ReadingAsked) -> None:
        """Forget it."""
        from loader.readings import forget_reading

        await self.services.rooms.records.run(forget_reading, self.services.engine, asked.header_hash)
        self.set_status(204)


def inspect_sample(engine: Engine, sample: bytes, *, asked: InspectAsked, options: "LoadOptions") -> dict[str, Any]:
    """Inspect a sample as the load would read it. Raises: FileFormatError, TransientError."""
    from loader.formats import FileParts, inspect_format, inspect_parts
    from loader.readings import Beginning, recall_reading

    ranges = asked.list_parts()
    parts = FileParts.from_body(sample, ranges, size=asked.bytes or 0) if ranges else None
    if parts:
        begun = Beginning(parts.beginning, asked.file_name, is_whole=False, end=parts.end)
    else:
        begun = Beginning(sample, asked.file_name, is_whole=asked.is_whole)
    options, reading = recall_reading(engine, begun, options)
    if parts:
        inspection = inspect_parts(parts, file_name=asked.file_name, options=options)
    else:
        inspection = inspect_format(sample, file_name=asked.file_name, options=options, is_whole=asked.is_whole)
    return {**inspection.to_json(), "as_last_time": reading.to_json() if reading else None}
