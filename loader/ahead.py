"""Reading ahead: a source of bytes runs in a thread of its own while its reader works."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Final

# Chunks that wait for the reader; of 1 MiB each. More than two only evens out hiccups.
_DEPTH: Final = 4
_PATIENCE_S: Final = 0.5

_Piece = bytes | BaseException | None


def read_ahead(chunks: Iterable[bytes]) -> Generator[bytes]:
    """Give the chunks of a source that runs ahead; what it raises is raised here. Closing the iterator ends the source."""
    pieces: queue.Queue[_Piece] = queue.Queue(_DEPTH)
    is_over = threading.Event()
    thread = threading.Thread(target=_feed, args=(chunks, pieces, is_over), name="read ahead", daemon=True)
    thread.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        is_over.set()
        thread.join()


def _feed(chunks: Iterable[bytes], pieces: "queue.Queue[_Piece]", is_over: threading.Event) -> None:
    try:
        for chunk in chunks:
            if not _put(chunk, pieces, is_over):
                break
    except BaseException as error:  # noqa: BLE001 - the reader's thread raises it
        _put(error, pieces, is_over)
    else:
        _put(None, pieces, is_over)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _put(piece: _Piece, pieces: "queue.Queue[_Piece]", is_over: threading.Event) -> bool:
    """Hand a piece over; False when nobody wants it any more."""
    while not is_over.is_set():
        try:
            pieces.put(piece, timeout=_PATIENCE_S)
        except queue.Full:
            continue
        return True
    return False
