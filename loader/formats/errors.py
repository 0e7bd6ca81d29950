"""Errors that more than one module raises."""

from loader.formats.plan import FilePlan
from shared.errors import FileFormatError


def ambiguous_dates(plan: FilePlan) -> FileFormatError:
    """Make the error that asks for the order of day and month."""
    column = plan.columns[plan.roles["started_at"]]
    return FileFormatError(
        f"Every date in {column} fits month first as well as day first (such as {plan.time.example}). "
        "Say which: date_order mdy or dmy (--date-order).",
        code="ambiguous_dates",
        column=column,
    )


def truncated(kind: str) -> FileFormatError:
    """Make the error for an archive that was cut off."""
    return FileFormatError(f"The {kind} file ends too early: it was cut off. Upload it again.", code="truncated_archive")
