"""Tables and figures for people, on standard output."""

import errno
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.platform.safe_text import escape_controls, shorten

_BAR_CELLS: Final = 30
_PIPE_CELLS: Final = 200
# A rejected record can have a million characters; --json and --csv give all of them.
_CELL_CHARACTERS: Final = 200


@dataclass(frozen=True)
class Column:
    """A column: its heading and whether it holds numbers."""

    name: str
    is_number: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; text is never taken as markup, and no control character in it reaches the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(format_value(column.name)), justify="right" if column.is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(format_value(value)) for value in row))
    _console().print(table)


def print_line(text: str) -> None:
    """Print one line; control characters in it are shown as escapes."""
    _console().print(Text(escape_controls(text)), soft_wrap=True)


def format_value(value: object) -> str:
    """A value as people read it in a cell: long text is cut, control characters are escaped."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    return escape_controls(shorten(str(value), _CELL_CHARACTERS))


def count(number: int, noun: str) -> str:
    """1 trip, 2 trips."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_instant(text: str | None) -> str:
    """An instant in this machine's own time zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else "-"


def format_duration(started: str | None, finished: str | None) -> str:
    """Time between two instants."""
    return f"{seconds_between(started, finished):.1f} s" if started and finished else "-"


def seconds_between(started: str | None, finished: str | None) -> float:
    """Seconds from one instant to the other; 0 while one is missing."""
    if not started or not finished:
        return 0.0
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()


def format_bar(value: int, largest: int) -> str:
    """A bar of at most 30 characters."""
    return "█" * round(_BAR_CELLS * value / largest) if largest else ""


class _PlainConsole(Console):
    """A console that leaves a closed pipe to the commands' border."""

    def on_broken_pipe(self) -> None:
        """Raise it again, instead of ending the process."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _console() -> Console:
    # In a pipe or a file there is no window whose width lines should keep to.
    return _PlainConsole(highlight=False, width=None if sys.stdout.isatty() else _PIPE_CELLS)
