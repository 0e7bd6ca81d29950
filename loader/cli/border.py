"""The border between commands and the terminal: wrong usage, closed pipes, full disks and open questions.

Whatever happens, the first line on standard error says what and what to do. Exit status: as in session.py, and 141 where the
reader of a pipe went away, as programs end that the kernel ends for it.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from loader.cli.answering import list_answers
from loader.cli.session import FAILED, INTERRUPTED, print_error
from shared.platform.errors import TripdeckError

PIPE_CLOSED: Final = 141
_HELP: Final = "NoArgsIsHelpError"  # what Typer raises in place of a command that needs words; its message is the help


class CommandGroup(TyperGroup):
    """The commands inside their border."""

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401
        """Run one command and exit."""
        words = sys.argv[1:] if args is None else list(args)
        accept_all_characters()
        run = super().main
        extra["standalone_mode"] = False
        try:
            status = _run(lambda: run(words, **extra), words)
            sys.stdout.flush()
        except OSError as error:
            status = _end_by(error)
        raise SystemExit(status)


def _run(command: Callable[[], Any], words: Sequence[str]) -> int:
    try:
        status: int = command() or 0
    except TyperException as error:
        return _explain_usage(error)
    except (KeyboardInterrupt, Abort):
        print_error("Interrupted.")
        return INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return PIPE_CLOSED  # Typer ends so by itself
        if isinstance(end.__cause__, TripdeckError) and "--json" not in words:
            for line in list_answers(end.__cause__, words):
                typer.echo(line, err=True)
        return end.code if isinstance(end.code, int) else FAILED
    return status


def _explain_usage(error: TyperException) -> int:
    if type(error).__name__ == _HELP:
        typer.echo(error.message, err=True)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tripdeck"
    message = error.format_message().replace("Value error, ", "").replace("Input should", "it should")
    end = "" if message.endswith("?") else "." if not message.endswith(".") else ""
    print_error(f"{message}{end} `{command} --help` lists what there is.")
    return error.exit_code


def _end_by(error: OSError) -> int:
    """End after an output, or a file, that can't be written or read."""
    if error.errno in (errno.EPIPE, errno.EINVAL, errno.ENOSPC, errno.EIO) and not error.filename:
        # What is still in the stream's buffer can go nowhere, and must not fail again when Python ends.
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    if error.errno == errno.EPIPE:
        return PIPE_CLOSED
    where = f"{error.filename} can't be read or written" if error.filename else "Standard output can't be written"
    print_error(f"{where}: {error.strerror or error}. Check the disk and the permissions, then run the command again.")
    return FAILED


def accept_all_characters() -> None:
    """Let a terminal that is not UTF-8 show escapes for what it hasn't, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
