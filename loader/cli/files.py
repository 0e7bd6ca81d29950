"""Files named on the command line: checked before anything is sent, `-` for standard input."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shared.errors import FileFormatError, RequestError


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
            raise RequestError(f"{self.path} can't be read: {error.strerror}.", parameter="file") from error
        with stream:
            yield stream


def find_file(argument: str, *, name: str | None = None) -> LocalFile:
    """Look at a file argument.

    Raises: RequestError when there is no such file or it can't be read; FileFormatError when it is empty.
    """
    if argument == "-":
        if not name:
            raise RequestError("Standard input has no name: give one with --name.", parameter="name")
        return LocalFile(None, name, None)
    path = Path(argument)
    try:
        status = path.stat()
    except OSError as error:
        reason = "There is no file" if isinstance(error, FileNotFoundError) else f"{error.strerror}:"
        raise RequestError(f"{reason} {argument}.", parameter="file") from error
    if stat.S_ISDIR(status.st_mode):
        raise RequestError(f"{argument} is a folder; name the files in it.", parameter="file")
    if not os.access(path, os.R_OK):
        raise RequestError(f"{argument} can't be read: permission denied.", parameter="file")
    if not stat.S_ISREG(status.st_mode):  # a pipe: its size is known at its end
        return LocalFile(path, name or path.name, None)
    if status.st_size == 0:
        raise FileFormatError(f"{argument} is empty.", code="empty_file")
    return LocalFile(path, name or path.name, status.st_size)
