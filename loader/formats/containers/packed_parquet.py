"""A Parquet file inside an archive: taken out as a whole, for what it holds stands at its end."""

from collections.abc import Iterable, Iterator, Sequence

from loader.formats.containers.tables import open_tables
from loader.formats.containers.zip_directory import ZipMember
from loader.formats.plan import Compression
from shared.errors import FileFormatError

MAGIC = b"PAR1"
# It is held in memory. Larger ones hardly gain by being packed again, for Parquet packs its columns itself.
PACKED_PARQUET_LIMIT_BYTES = 128 * 2**20


def is_packed_parquet(sample: bytes, compression: Compression) -> bool:
    """Tell whether the first table in the sample of an archive is a Parquet file."""
    if compression == "none":
        return False
    try:
        _, pieces = next(open_tables([sample], compression))
        return _take(pieces, len(MAGIC)) == MAGIC
    except FileFormatError:
        return False  # whoever reads the text says so


def read_packed_parquet(
    chunks: Iterable[bytes], compression: Compression, *, members: Sequence[ZipMember] | None = None
) -> bytes:
    """Read the Parquet file inside an archive. Raises: FileFormatError where it is too large or not alone."""
    data: bytes | None = None
    for name, pieces in open_tables(chunks, compression, members=members):
        if data is not None:
            raise FileFormatError(
                f"The archive holds {name} beside a Parquet file. Load each Parquet file on its own.",
                code="members_differ",
                member=name,
            )
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
