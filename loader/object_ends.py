"""The parts of a stored object that say what it holds: its beginning, a zip file's directory, a Parquet file's footer."""

from collections.abc import Sequence
from functools import partial

from loader.formats import SAMPLE_BYTES
from loader.formats.containers.tables import detect_compression, is_table
from loader.formats.containers.zip_directory import RangedFile, ZipMember, read_directory
from loader.formats.parquet import MAGIC as PARQUET_MAGIC
from loader.formats.parquet import measure_footer
from shared.objects import ObjectStore, StoredObject


def find_sample(store: ObjectStore, stored: StoredObject, beginning: bytes) -> bytes:
    """Return the bytes that detection looks at: of a zip file from its first table on, others from their beginning on."""
    if len(beginning) == stored.bytes or detect_compression(beginning) != "zip":
        return beginning
    first = next((member for member in list_members(store, stored) if is_table(member.name)), None)
    if first is None or first.offset == 0:
        return beginning
    return store.read_range(stored, first.offset, min(SAMPLE_BYTES, stored.bytes - first.offset))


def list_members(store: ObjectStore, stored: StoredObject) -> Sequence[ZipMember]:
    """List the members of a zip file by the directory at its end. Raises: FileFormatError."""
    return read_directory(RangedFile(stored.bytes, partial(store.read_range, stored)))


def read_end(store: ObjectStore, stored: StoredObject, sample: bytes) -> bytes:
    """Read a Parquet file's footer: its columns stand there."""
    if len(sample) == stored.bytes or not sample.startswith(PARQUET_MAGIC):
        return b""
    size = measure_footer(store.read_range(stored, stored.bytes - 8, 8))
    return store.read_range(stored, stored.bytes - size, size) if 0 < size < stored.bytes else b""
