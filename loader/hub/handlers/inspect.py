"""Inspection: what the loader makes of a file's first bytes, before anything is stored."""

from typing import TYPE_CHECKING, Any, Final

from loader.hub.answers import InspectAnswer
from loader.hub.asked import InspectAsked
from loader.hub.handler import ApiHandler, Body, BufferedBody
from loader.hub.operations import Operation
from loader.hub.uploads import check_size

if TYPE_CHECKING:
    from loader.formats import LoadOptions

LIMIT_BYTES: Final = 8 * 2**20
_BATCH_BYTES: Final = 256 * 2**10
_SHOWN_ROWS: Final = 20


class InspectHandler(ApiHandler):
    """Inspections."""

    async def open_body(self, operation: Operation) -> Body:
        """Keep the file's first bytes."""
        return BufferedBody(LIMIT_BYTES)

    @Operation(
        "What the loader makes of a file's first bytes (at most 8 MiB)",
        asked=InspectAsked,
        file_body="The first bytes of the file.",
        answer=InspectAnswer,
    )
    async def post(self, asked: InspectAsked) -> None:
        """Answer with the plan, the first trips and the first rejects."""
        assert isinstance(self.body, BufferedBody)  # noqa: S101 - for the type checker
        sample = bytes(self.body.data)
        check_size(len(sample))
        options = asked.make_options()
        self.answer(await self.services.rooms.transfers.run(inspect_sample, sample, asked, options))


def inspect_sample(sample: bytes, asked: InspectAsked, options: "LoadOptions") -> dict[str, Any]:
    """Detect, cut off the first records and parse them. Raises: FileFormatError."""
    from loader.formats import BatchScanner, detect_format, parse_batch

    plan = detect_format(sample, file_name=asked.file_name, options=options, is_whole=asked.is_whole)
    # Half of an incomplete sample at most, so that its last record, cut in two, is not looked at.
    batch_bytes = _BATCH_BYTES if asked.is_whole else min(_BATCH_BYTES, max(1, len(sample) // 2))
    found = next(iter(BatchScanner(plan, batch_bytes=batch_bytes).scan([sample])), None)
    if found is None:
        return {"plan": plan.to_json(), "rows_read": 0, "trips": [], "rejects": [], "rows_rejected": 0}
    piece, unpacked = found
    data = sample[piece.offset : piece.offset + piece.bytes] if unpacked is None else unpacked
    parsed = parse_batch(data, plan, piece, options=options)
    return {
        "plan": plan.to_json(),
        "rows_read": parsed.rows_read,
        "rows_rejected": parsed.rejects.height,
        "trips": [_make_trip(row) for row in parsed.trips.head(_SHOWN_ROWS).to_dicts()],
        "rejects": [_make_reject(row) for row in parsed.rejects.sort("record_in_batch").head(_SHOWN_ROWS).to_dicts()],
    }


def _make_trip(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "started_at": row["started_at"].isoformat()}


def _make_reject(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "line": row["line_in_batch"],
        "record": row["record_in_batch"],
        "column": row["column_name"],
        "reason": row["reason"],
        "value": row["value"],
        "raw": row["raw"],
    }
