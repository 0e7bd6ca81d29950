"""Questions: what a person has to settle about columns, as errors with the answers to choose among."""

from collections.abc import Mapping, Sequence
from typing import Any

from loader.formats.model.errors import make_choice
from shared.platform.errors import FileFormatError

# More answers than this are no list to choose from.
_MOST_CHOICES = 12


def ask_roles(message: str, columns: Sequence[str], answers: Mapping[str, Mapping[str, int | str]]) -> FileFormatError:
    """Make the error that asks which column is what. answers: label → role → column, or NO_COLUMN."""
    choices: list[dict[str, Any]] = [
        make_choice(label, roles={role: _write(column) for role, column in roles.items()}) for label, roles in answers.items()
    ]
    example = " ".join(f"--map {role}={_write(column)}" for role, column in next(iter(answers.values()), {}).items())
    hint = f" Say which, such as {example}." if example else " Say which with --map."
    return FileFormatError(
        message + hint,
        code="ambiguous_columns",
        parameter="roles",
        choices=choices[:_MOST_CHOICES],
        columns=tuple(columns),
        statement=message,
    )


def _write(column: int | str) -> str:
    return column if isinstance(column, str) else str(column + 1)


def quote_names(columns: Sequence[str], numbers: Sequence[int]) -> str:
    """Name columns in a sentence."""
    names = [columns[number] for number in numbers]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
