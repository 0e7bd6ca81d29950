"""Errors that more than one module raises.

A question for a person carries facts: parameter (the option that answers it), choices (label and options each, for a page to
offer) and columns (the names to choose among).
"""

from typing import Any

from shared.platform.errors import FileFormatError


def make_choice(label: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - options of several types
    """Make one answer to a question: what it says, and the options it stands for."""
    return {"label": label, "options": options}


def late_encoding(encoding: str) -> FileFormatError:
    """Make the error for text whose encoding shows only after the sample, when the file has been cut as UTF-8."""
    statement = f"The file is not UTF-8: letters that come late in it look like {encoding}."
    return FileFormatError(
        f"{statement} Say so with encoding {encoding} (--encoding {encoding}).",
        statement=statement,
        code="ambiguous_encoding",
        parameter="encoding",
        choices=[make_choice(encoding, encoding=encoding), make_choice("windows-1252", encoding="windows-1252")],
    )


def unnamed_fields(columns: tuple[str, ...], unnamed: int) -> FileFormatError:
    """Make the error for rows that hold more than the header names: which name belongs to which field is not known."""
    statement = (
        f"Most rows have {len(columns)} fields and the header names {len(columns) - unnamed}, so names and values may not belong "
        "together: a value holds a delimiter without quotes, or a column has no name. Quote such values or name every column."
    )
    return FileFormatError(
        f"{statement} Or say where each role stands by its number, such as --map started_at=1.",
        statement=statement,
        code="unnamed_fields",
        parameter="roles",
        columns=columns,
    )


def truncated(kind: str) -> FileFormatError:
    """Make the error for an archive that was cut off."""
    return FileFormatError(f"The {kind} file ends too early: it was cut off. Upload it again.", code="truncated_archive")
