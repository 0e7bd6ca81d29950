"""Errors that more than one module raises.

A question for a person carries facts: parameter (the option that answers it), choices (label and options each, for a page to
offer) and columns (the names to choose among).
"""

from typing import Any

from loader.formats.plan import FilePlan
from shared.errors import FileFormatError


def make_choice(label: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - options of several types
    """Make one answer to a question: what it says, and the options it stands for."""
    return {"label": label, "options": options}


def ambiguous_dates(plan: FilePlan) -> FileFormatError:
    """Make the error that asks for the order of day and month."""
    column = plan.columns[plan.roles["started_at"]]
    return FileFormatError(
        f"Every date in {column} fits month first as well as day first (such as {plan.time.example}). "
        "Say which: date_order mdy or dmy (--date-order).",
        code="ambiguous_dates",
        parameter="date_order",
        choices=[make_choice("Month first", date_order="mdy"), make_choice("Day first", date_order="dmy")],
        columns=plan.columns,
    )


def truncated(kind: str) -> FileFormatError:
    """Make the error for an archive that was cut off."""
    return FileFormatError(f"The {kind} file ends too early: it was cut off. Upload it again.", code="truncated_archive")
