"""Workbook limits: how much a workbook would take, found out before the reader opens it.

A workbook is a zip of XML. Its reader keeps every cell between the first and the last of a sheet in memory, so that two cells in
opposite corners would take 400 GB, and unpacks whatever the zip holds. So each member is unpacked here first, piece by piece, and
the furthest cell is looked for.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable
from typing import Final

import numpy as np

from loader.formats.transcoding.ods_cells import OdsCellCounter
from loader.formats.transcoding.sheet_kernel import measure_cells
from shared.platform.errors import FileFormatError

WORKBOOK_LIMIT_BYTES: Final = 128 * 2**20
"""Bytes of a workbook, which is kept in memory as a whole. A full sheet (1,048,576 rows) of nine columns has 56 MiB."""
EXPANDED_LIMIT_BYTES: Final = 2**30
"""Bytes of all members unpacked. That sheet has 600 MiB."""
CELLS_LIMIT: Final = 12_000_000
"""Cells of a sheet, empty ones included: the reader takes 85 bytes for each."""
MEMBERS_LIMIT: Final = 2_000
"""Members of the zip: a workbook has a few, and one for each sheet and picture."""
_PIECE_BYTES: Final = 2**20
_TAG_LIMIT_BYTES: Final = 2**20  # the longest real ones have a few hundred


class CellCounter:
    """How far the cells of a sheet reach. cells: rows times columns from the first of either."""

    def __init__(self) -> None:
        self._state = np.zeros(4, np.int64)
        self._rest = b""

    @property
    def cells(self) -> int:
        """Return how many cells the reader keeps."""
        return int(self._state[2]) * int(self._state[3])

    def add(self, piece: bytes) -> None:
        """Process the next bytes of the sheet's XML. Raises: FileFormatError for a tag without an end."""
        data = self._rest + piece
        self._rest = data[measure_cells(np.frombuffer(data, np.uint8), self._state) :]
        if len(self._rest) > _TAG_LIMIT_BYTES:
            raise FileFormatError("The workbook is damaged (a tag without an end). Save it again.", code="damaged_workbook")


def join_workbook(chunks: Iterable[bytes]) -> bytes:
    """Join the bytes of a workbook: it says at its end what it holds. Raises: FileFormatError for more than the limit."""
    taken: list[bytes] = []
    size = 0
    for chunk in chunks:
        taken.append(chunk)
        size += len(chunk)
        if size > WORKBOOK_LIMIT_BYTES:
            raise _too_large(f"{WORKBOOK_LIMIT_BYTES // 2**20} MiB")
    return taken[0] if len(taken) == 1 else b"".join(taken)


def check_workbook(data: bytes) -> None:
    """Raise: FileFormatError for a workbook in a zip that is damaged, or would take too much memory."""
    if len(data) > WORKBOOK_LIMIT_BYTES:
        raise _too_large(f"{WORKBOOK_LIMIT_BYTES // 2**20} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FileFormatError(f"The workbook is damaged ({error}). Save it again.", code="damaged_workbook") from error


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MEMBERS_LIMIT:
        raise _too_large(f"{MEMBERS_LIMIT:,} parts")
    expanded = 0
    for member in members:
        is_xml = member.filename.lower().endswith((".xml", ".rels"))
        counter = OdsCellCounter() if member.filename == "content.xml" else CellCounter()
        with archive.open(member) as stream:
            while piece := stream.read(_PIECE_BYTES):
                expanded += len(piece)
                if expanded > EXPANDED_LIMIT_BYTES:
                    raise _too_large(f"{EXPANDED_LIMIT_BYTES // 2**20:,} MiB unpacked")
                if is_xml:
                    counter.add(piece)
                if is_xml and counter.cells > CELLS_LIMIT:
                    raise _too_large(f"{CELLS_LIMIT:,} cells in a sheet, those between its first and its last one counted")


def _too_large(limit: str) -> FileFormatError:
    return FileFormatError(
        f"The workbook is too large to be read: more than {limit}. Save the sheet as CSV and load that.",
        code="workbook_too_large",
    )
