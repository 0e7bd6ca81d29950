"""Sample text: the first bytes of a file as UTF-8 text, unpacked and decoded, table by table."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from loader.formats.containers.signatures import reject_foreign
from loader.formats.containers.tables import detect_compression, open_tables
from loader.formats.containers.zip_directory import read_directory
from loader.formats.model.errors import make_choice
from loader.formats.model.inner_table import InnerTable
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import Compression
from loader.formats.text.encoding import detect_encoding, strip_bom, to_utf8
from loader.formats.transcoding import TableSample, is_inner, list_samples, looks_like_workbook
from shared.platform.errors import FileFormatError

# Bytes of a file that detection wants to see, and of unpacked text that it looks at.
SAMPLE_BYTES = 2**20
TEXT_SAMPLE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class SampleText:
    """The sample as UTF-8 text: one table, or as many as the file holds; none of a workbook that is not there as a whole."""

    encoding: str
    samples: Sequence[TableSample]

    def find(self, table: InnerTable | None) -> TableSample:
        """Find the sample of a plan's table."""
        return next(sample for sample in self.samples if (sample.table and sample.table.name) == (table and table.name))


def needs_whole(sample: bytes) -> bool:
    """Return whether detection needs the whole file, by its first bytes: the directory of a workbook is at its end."""
    return looks_like_workbook(sample)


def detect_container(sample: bytes) -> Compression:
    """Return the compression by the first bytes; "none" for a workbook, although it is a zip file."""
    return "none" if looks_like_workbook(sample) else detect_compression(sample)


def read_text(sample: bytes, options: LoadOptions, *, is_whole: bool) -> SampleText:
    """Return the sample as UTF-8 text. Raises: FileFormatError for files that are no table."""
    text, is_whole = unpack_sample(sample, detect_container(sample), is_whole=is_whole, member=options.member)
    if not strip_bom(text).strip(b"\0 \t\r\n"):
        raise FileFormatError("The file holds no text.", code="empty_file")
    if is_inner(text):
        if looks_like_workbook(text) and not is_whole and detect_container(sample) != "none":
            raise FileFormatError(
                "This is a workbook inside an archive. Unpack it and load the workbook.", code="unsupported_archive"
            )
        return SampleText("utf-8", list_samples(text, encoding=options.encoding, is_whole=is_whole))
    reject_foreign(text)
    if options.sheet:
        raise FileFormatError("This file is no workbook and has no sheets: leave out sheet (--sheet).", code="no_such_sheet")
    encoding = options.encoding or detect_encoding(text, is_whole=is_whole)
    return SampleText(encoding, [TableSample(to_utf8(text, encoding, is_whole=is_whole), is_whole)])


def unpack_sample(sample: bytes, compression: Compression, *, is_whole: bool, member: str | None = None) -> tuple[bytes, bool]:
    """Unpack as much of the sample's first table, or the member, as detection looks at; tells whether that is all there is."""
    if compression == "none":
        return sample, is_whole
    members = read_directory(io.BytesIO(sample)) if compression == "zip" and is_whole else None
    tables = open_tables([sample], compression, members=members, member=member)
    text = bytearray()
    try:
        for piece in next(tables)[1]:
            text += piece
            if len(text) >= TEXT_SAMPLE_BYTES:
                return bytes(text), False
    except FileFormatError as error:
        if is_whole or (text and error.error_code != "truncated_archive"):
            raise
        if not text:
            raise _nothing_in_sample(error) from error
        return bytes(text), False
    if is_whole and next(tables, None) is None:
        return bytes(text), True
    return bytes(text) + b"\n", False  # the last record of this table ends here, whatever follows


def _nothing_in_sample(error: FileFormatError) -> FileFormatError:
    """Make the error for an archive whose first table lies beyond the sample, unless it is damaged."""
    if error.error_code not in ("truncated_archive", "empty_archive", "empty_file", "not_a_table"):
        return error
    return FileFormatError(
        f"The first {SAMPLE_BYTES // 2**20} MiB of the archive hold no table. Pack the file with the trips alone, or first.",
        code="empty_archive",
    )


def select_samples(samples: Sequence[TableSample], sheet: str | None) -> list[TableSample]:
    """Return the samples of a sheet; all where sheet is None. Raises: FileFormatError where there is none of that name."""
    named = [(sample.table.name if sample.table else "", sample) for sample in samples]
    selected = [sample for name, sample in named if sheet is None or name.casefold() == sheet.casefold()]
    if not selected:
        names = [name for name, _ in named]
        raise FileFormatError(
            f"There is no sheet {sheet!r} with rows. Sheets: {', '.join(names)}.",
            code="no_such_sheet",
            parameter="sheet",
            choices=[make_choice(name, sheet=name) for name in names],
        )
    return selected
