"""The parts of a stored object that detection reads: its first bytes, and a zip file's directory."""

from collections.abc import Sequence
from functools import partial

from loader.formats import SAMPLE_BYTES
from loader.formats.containers.byte_ranges import RangedFile
from loader.formats.containers.tables import detect_compression, is_named, is_table
from loader.formats.containers.zip_directory import DirectoryRanges, ZipMember, read_directory
from shared.services.objects import ObjectStore, StoredObject


def find_sample(store: ObjectStore, stored: StoredObject, beginning: bytes, *, member: str | None = None) -> bytes:
    """Return the bytes that detection looks at: of a zip file from its first or named table on, others from their start on."""
    if len(beginning) == stored.bytes or detect_compression(beginning) != "zip":
        return beginning
    tables = [found for found in list_members(store, stored) if is_table(found.name)]
    named = [found for found in tables if is_named(found.name, member) or (member or "").startswith(f"{found.name}/")]
    first = next(iter(named or tables), None)
    if first is None or first.offset == 0:
        return beginning
    return store.read_range(stored, first.offset, min(SAMPLE_BYTES, stored.bytes - first.offset))


def list_members(store: ObjectStore, stored: StoredObject) -> Sequence[ZipMember]:
    """List the members of a zip file by the directory at its end. Raises: FileFormatError."""
    return read_directory(RangedFile(DirectoryRanges(stored.bytes, partial(store.read_range, stored))))
