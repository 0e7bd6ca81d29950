"""A Parquet file inside an archive: taken out as a whole, for what it holds stands at its end."""

from collections.abc import Iterable, Iterator, Sequence

from loader.formats.containers.tables import open_tables
from loader.formats.containers.zip_directory import ZipMember
from loader.formats.model.plan import Compression
from shared.platform.errors import FileFormatError

MAGIC = b"PAR1"
# It is held in memory. Larger ones hardly gain by being packed again, for Parquet packs its columns itself.
PACKED_PARQUET_LIMIT_BYTES = 128 * 2**20


def is_packed_parquet(sample: bytes, compression: Compression, member: str | None = None) -> bool:
    """Return whether the first table in the sample of an archive is a Parquet file."""
    if compression == "none":
        return False
    try:
        _, pieces = next(open_tables([sample], compression, member=member))
        return _take(pieces, len(MAGIC)) == MAGIC
    except FileFormatError:
        return False  # whoever reads the text says so


def read_packed_parquet(
    chunks: Iterable[bytes],
    compression: Compression,
    *,
    members: Sequence[ZipMember] | None = None,
    member: str | None = None,
) -> bytes:
    """Read the Parquet file inside an archive. Raises: FileFormatError where it is too large or not alone."""
    data: bytes | None = None
    first: str | None = None
    for name, pieces in open_tables(chunks, compression, members=members, member=member):
        if data is not None:
            raise FileFormatError(
                f"The archive holds {name} beside a Parquet file. Say which table to read (--member), or load each on its own.",
                code="members_differ",
                parameter="member",
                choices=[{"label": path, "options": {"member": path}} for path in (first, name) if path],
            )
        first = name
        data = _take(pieces, PACKED_PARQUET_LIMIT_BYTES + 1)
        if len(data) > PACKED_PARQUET_LIMIT_BYTES:
            raise FileFormatError(
                f"{name or 'The Parquet file'} in the archive has more than {PACKED_PARQUET_LIMIT_BYTES // 2**20} MiB. "
                "Unpack it, and load the Parquet file itself.",
                code="packed_parquet_too_large",
            )
    return data or b""


def _take(pieces: Iterator[bytes], limit: int) -> bytes:
    """Join pieces up to a limit."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) >= limit:
            break
    return bytes(data[:limit])
