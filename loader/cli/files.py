"""Files named on the command line: checked before anything is sent, `-` for standard input."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from shared.platform.errors import FileFormatError, RequestError
from shared.platform.safe_text import escape_controls

# Of a folder, when a name is looked for that is like a misspelt one.
_NAMES_LOOKED_AT: Final = 2_000


@dataclass(frozen=True)
class LocalFile:
    """A file to send. Units: size in bytes, None when it is a stream."""

    path: Path | None
    name: str
    size: int | None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading. Raises: RequestError."""
        if self.path is None:
            yield sys.stdin.buffer
            return
        try:
            stream = self.path.open("rb")
        except OSError as error:
            raise RequestError(_explain(str(self.path), error), parameter="file") from error
        with stream:
            yield stream


def find_file(argument: str, *, name: str | None = None) -> LocalFile:
    """Inspect a file argument.

    Raises: RequestError when there is no such file or it can't be read; FileFormatError when it is empty.
    """
    if argument == "-":
        if not name:
            raise RequestError("Standard input has no name: give one with --name.", parameter="name")
        return LocalFile(None, name, None)
    path = Path(argument)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise RequestError(_explain(argument, error), parameter="file") from error
    if stat.S_ISDIR(status.st_mode):
        raise RequestError(f"{argument} is a folder; name the files in it{_find_example(path)}.", parameter="file")
    if not os.access(path, os.R_OK):
        raise RequestError(_explain(argument, PermissionError(errno.EACCES, "")), parameter="file")
    shown = name or _make_name(path)
    if not stat.S_ISREG(status.st_mode):  # a pipe: its size is known at its end
        return LocalFile(path, shown, None)
    if status.st_size == 0:
        raise FileFormatError(f"{argument} is empty; there is nothing to load.", code="empty_file")
    return LocalFile(path, shown, status.st_size)


def _explain(argument: str, error: Exception) -> str:
    """What is wrong with a file argument, and what to do."""
    if isinstance(error, FileNotFoundError):
        near = get_close_matches(Path(argument).name, _list_names(Path(argument).parent), n=1)
        return f"There is no file {argument}; " + (f"did you mean {near[0]}?" if near else f"this is {Path.cwd()}.")
    if isinstance(error, PermissionError):
        return f"{argument} can't be read: permission denied. Let this user read it (chmod u+r)."
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"{argument} can't be read: {reason}. Check the name and the disk."


def _list_names(folder: Path) -> list[str]:
    with suppress(OSError, ValueError):
        return [entry.name for entry in islice(os.scandir(folder), _NAMES_LOOKED_AT)]
    return []


def _find_example(folder: Path) -> str:
    names = sorted(name for name in _list_names(folder) if not name.startswith("."))
    return f", such as {folder / names[0]}" if names else ""


def _make_name(path: Path) -> str:
    """The file's name as the hub takes it: bytes that are no UTF-8 and control characters are escaped, without backslashes."""
    name = path.name
    return name if escape_controls(name) == name else escape_controls(name).replace("\\", "_")
