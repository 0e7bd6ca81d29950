"""Live progress on standard error: the bytes that go out, then the load's stages, rows, rate and time left."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from loader.cli.tables import seconds_between
from shared.platform.safe_text import escape_controls, shorten

# Leaves room for the bar on a terminal of 80.
_NAME_CHARACTERS: Final = 40
_STAGES: Final = {"queued": "waiting for a worker", "planning": "reading its format", "loading": "loading"}


class LoadProgress:
    """A line for the upload and one for the load; draws nothing where standard error is no terminal."""

    def __init__(self, *, is_shown: bool) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[rows]}", markup=False),
            console=console,
            disable=not (is_shown and console.is_terminal),
            transient=True,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def watch_upload(self, name: str, size: int | None) -> Callable[[int], None]:
        """Add a line for bytes that are sent; call the result for each block."""
        task = self._progress.add_task(f"{_name(name)}: sending", total=size, rows="")
        return lambda count: self._progress.advance(task, count)

    def watch_load(self, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Show a load's events; returns the last one."""
        task: TaskID | None = None
        event: dict[str, Any] = {}
        for event in events:
            if task is None:
                task = self._progress.add_task("", total=None, rows="")
            self._show(task, event)
        return event

    def _show(self, task: TaskID, event: dict[str, Any]) -> None:
        batches = f" {event['batches_done']}/{event['batches_total']}" if event["batches_total"] else ""
        self._progress.update(
            task,
            description=f"{_name(event['file_name'])}: {_STAGES.get(event['state'], event['state'])}{batches}",
            total=event["bytes_total"] if event["state"] == "loading" else None,
            completed=event["bytes_read"],
            rows=_describe_rows(event),
        )


def _name(name: str) -> str:
    return escape_controls(shorten(name, _NAME_CHARACTERS))


def _describe_rows(event: dict[str, Any]) -> str:
    if not event["rows_read"]:
        return ""
    seconds = seconds_between(event["started_at"], event["at"])
    rate = f", {event['rows_read'] / seconds:,.0f}/s" if seconds > 0 else ""
    rejected = f", {event['rows_rejected']:,} rejected" if event["rows_rejected"] else ""
    return f"{event['rows_read']:,} rows{rate}{rejected}"
