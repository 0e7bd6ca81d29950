"""Reading ahead: everything in order, errors where they belong, and no thread left behind."""

import threading
from collections.abc import Iterator

import pytest

from loader.ahead import read_ahead


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_everything_comes_in_order_from_another_thread() -> None:
    threads = set()

    def source() -> Iterator[bytes]:
        for number in range(100):
            threads.add(threading.get_ident())
            yield bytes([number])

    assert b"".join(read_ahead(source())) == bytes(range(100))
    assert threading.get_ident() not in threads
    assert "read ahead" not in names()


def test_what_the_source_raises_is_raised_after_what_came_before() -> None:
    def source() -> Iterator[bytes]:
        yield b"1"
        raise ValueError("broken off")

    chunks = read_ahead(source())
    assert next(chunks) == b"1"
    with pytest.raises(ValueError, match="broken off"):
        next(chunks)
    assert "read ahead" not in names()


def test_a_reader_that_stops_ends_the_source() -> None:
    ended = threading.Event()

    def source() -> Iterator[bytes]:
        try:
            while True:
                yield b"more"
        finally:
            ended.set()

    chunks = read_ahead(source())
    assert next(chunks) == b"more"
    chunks.close()
    assert ended.is_set()
    assert "read ahead" not in names()
