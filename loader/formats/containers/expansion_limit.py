"""Expansion limit: stops a decompression bomb while it unpacks, by its ratio, size and number of members."""

from collections.abc import Iterable, Iterator

from shared.platform.errors import FileFormatError

# Text of trips packs 3 to 12 times, one row repeated about 300 times; deflate's own bound is 1,032.
RATIO_LIMIT = 500
RATIO_FREE_BYTES = 64 * 2**20
SIZE_LIMIT_BYTES = 2**40
# Members of a gzip or zstd file: each costs some microseconds, whatever it holds. Block gzip has one per 64 KiB of text (some
# 16 KiB packed), logs that are packed line by line one per some hundred bytes, which is no way to keep trips.
SMALL_MEMBERS_FREE = 10_000
MEMBER_MIN_BYTES = 1_024


class ExpansionLimit:
    """Counts the bytes into and out of a decompressor, and its members, against the limits above."""

    def __init__(self) -> None:
        self._taken = 0
        self._given = 0
        self._members = 0

    def take(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Count compressed bytes on their way in."""
        for chunk in chunks:
            self._taken += len(chunk)
            yield chunk

    def give(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Count unpacked bytes on their way out. Raises: FileFormatError for a bomb."""
        for piece in pieces:
            self._given += len(piece)
            if self._given > SIZE_LIMIT_BYTES or (self._given > RATIO_FREE_BYTES and self._given > RATIO_LIMIT * self._taken):
                raise FileFormatError(
                    f"The file unpacks to more than {RATIO_LIMIT} times its size; this looks like a decompression bomb. "
                    "If it is genuine, unpack it and load what was inside.",
                    code="decompression_bomb",
                )
            yield piece

    def count_member(self, position: int) -> None:
        """Count a member that begins at a position. Raises: FileFormatError for many that are tiny."""
        self._members += 1
        if self._members > SMALL_MEMBERS_FREE and self._members * MEMBER_MIN_BYTES > position:
            raise FileFormatError(
                f"The file is made of more than {SMALL_MEMBERS_FREE:,} members of less than {MEMBER_MIN_BYTES:,} bytes each. "
                "Unpack it, and pack the whole at once.",
                code="too_many_members",
            )
