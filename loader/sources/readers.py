"""Readers: which versions of objects stand at an address, and one of them as a stream of bytes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, Protocol

from shared.platform.errors import FileFormatError, NotFoundError, TerminalError
from shared.platform.settings import Settings
from shared.platform.source_address import SourceAddress
from shared.services.objects import ObjectStore, StoredObject
from shared.services.web_files import check_allowed, open_web_file

# Versions that one statement notes; a store lists as many at once.
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object. bytes: None where the server doesn't say."""

    key: str
    etag: str
    bytes: int | None


class ChangedError(FileFormatError):
    """The object was replaced or deleted after it was listed."""

    code = "file_changed"


class Reader(Protocol):
    """What can be done with an address."""

    def list_pages(self) -> Iterator[list[Version]]:
        """Yield what stands there now. Raises: TerminalError, TransientError."""

    def open(self, version: Version) -> AbstractContextManager[Iterator[bytes]]:
        """Open exactly this version. Raises: ChangedError, TerminalError, TransientError."""


def make_reader(address: SourceAddress, settings: Settings, *, is_watched: bool) -> Reader:
    """Make the reader of an address. Raises: RequestError when it may not be read (any more)."""
    check_allowed(address, settings)
    if address.scheme == "s3":
        return _BucketReader(address, ObjectStore(settings, bucket=address.place))
    return _WebReader(address, settings, is_watched=is_watched)


class _BucketReader:
    """Objects under a prefix: one that ends with a slash, or that no object has as its key."""

    def __init__(self, address: SourceAddress, store: ObjectStore) -> None:
        self._prefix = address.path
        self._store = store

    def list_pages(self) -> Iterator[list[Version]]:
        found = chain(self._find_one() or self._store.list_stored(self._prefix))
        while page := list(islice(found, _PAGE)):
            yield [Version(one.key, one.etag, one.bytes) for one in page if _is_data(one.key)]

    def _find_one(self) -> list[StoredObject]:
        if not self._prefix or self._prefix.endswith("/"):
            return []
        try:
            return [self._store.stat(self._prefix)]
        except NotFoundError:
            return []

    @contextmanager
    def open(self, version: Version) -> Iterator[Iterator[bytes]]:
        chunks = self._store.read(StoredObject(version.key, version.etag, version.bytes or 0))
        with closing(chunks):  # type: ignore[type-var]
            yield _turn_errors(chunks)


def _turn_errors(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except (FileFormatError, NotFoundError) as error:
        raise ChangedError("The object was replaced or deleted after it was listed.") from error


def _is_data(key: str) -> bool:
    """Return whether a key is that of a file with data: not a folder, nor hidden, nor a mark such as _SUCCESS."""
    return not key.rpartition("/")[2].startswith((".", "_")) and not key.endswith("/")


class _WebReader:
    """One file on a web server."""

    def __init__(self, address: SourceAddress, settings: Settings, *, is_watched: bool) -> None:
        self._address = address
        self._settings = settings
        self._is_watched = is_watched

    def list_pages(self) -> Iterator[list[Version]]:
        with open_web_file(self._address, self._settings) as found:
            if self._is_watched and not found.version:
                raise TerminalError(
                    f"{self._address.host} gives neither ETag nor Last-Modified, so no change is noticed: load the file once.",
                    code="no_version",
                )
            yield [Version(str(self._address), found.version, found.length)]

    @contextmanager
    def open(self, version: Version) -> Iterator[Iterator[bytes]]:
        with open_web_file(self._address, self._settings) as found:
            if found.version != version.etag:
                raise ChangedError("The file was replaced after it was looked up.")
            yield found.stream()
