"""Members: the files inside one archive must be of one kind."""

from loader.formats.dialect import name_columns, read_row
from loader.formats.plan import BatchSlice, FilePlan
from loader.formats.records import split_records
from shared.errors import FileFormatError


def check_member(data: bytes, plan: FilePlan, piece: BatchSlice) -> None:
    """Check that a further member begins with the same header as the first. Raises: FileFormatError."""
    if piece.batch_no == 0 or not plan.dialect.has_header:
        return
    head = b"\n".join(data.splitlines()[: plan.dialect.header_lines]).removeprefix(b"\xef\xbb\xbf")
    rows = split_records(head, plan.dialect, limit=plan.record_limit_bytes)
    names = name_columns(read_row(rows, len(rows) - 1, plan.dialect), plan.dialect.field_count) if len(rows) else ()
    if [name.casefold() for name in names] != [name.casefold() for name in plan.columns]:
        is_shuffled = sorted(name.casefold() for name in names) == sorted(name.casefold() for name in plan.columns)
        what = "the columns of the file before it in another order" if is_shuffled else "other columns than the file before it"
        raise FileFormatError(
            f"{piece.member} in the archive has {what}. Load it on its own, or pack only files with the same columns.",
            code="members_differ",
            member=piece.member,
        )
