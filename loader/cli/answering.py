"""Questions that the product asks, answered by running the same command again: one line for each choice."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shared.platform.errors import TripdeckError
from shared.platform.safe_text import escape_controls, shorten

_SHOWN_COLUMNS: Final = 40
_COLUMN_CHARACTERS: Final = 60
# Options whose flag is not their name, or that have a flag a value.
_FLAGS: Final[Mapping[str, Any]] = {
    "has_header": {True: "--header", False: "--no-header"},
    "as_last_time": {True: "--last-time", False: "--no-last-time"},
}


def list_answers(error: TripdeckError, words: Sequence[str]) -> Iterator[str]:
    """Yield lines with the command for each choice of an error; without choices the columns that there are to choose from."""
    others: Any = error.facts.get("other_words") or ()
    words = [word for word in (error.facts.get("words") or words) if word not in others]  # type: ignore[attr-defined]
    choices = error.facts.get("choices")
    if isinstance(choices, (list, tuple)) and choices:
        yield "Run one of these:"
        commands = [
            (quote_command([*words, *make_flags(choice["options"])]), escape_controls(choice["label"])) for choice in choices
        ]
        for command, label in commands:
            yield f"  {command}    # {label}"
        return
    columns = error.facts.get("columns")
    if isinstance(columns, (list, tuple)) and columns and ", ".join(map(str, columns)) not in error.message:
        shown = [escape_controls(shorten(str(name), _COLUMN_CHARACTERS)) for name in columns[:_SHOWN_COLUMNS]]
        more = f" and {len(columns) - len(shown):,} more" if len(columns) > len(shown) else ""
        yield f"Columns: {', '.join(shown)}{more}."


def make_flags(options: Mapping[str, Any]) -> list[str]:
    """The words of a command line that stand for options of a load."""
    flags: list[str] = []
    for name, value in options.items():
        if name == "roles":
            flags += [word for role, column in value.items() for word in ("--map", f"{role}={column}")]
        elif name in _FLAGS:
            flags.append(_FLAGS[name][value])
        else:
            flags += [f"--{name.replace('_', '-')}", "tab" if value == "\t" else str(value)]
    return flags


def quote_command(words: Sequence[str]) -> str:
    """The command as a shell takes it."""
    return " ".join(["tripdeck", *map(_quote, words)])


def _quote(word: str) -> str:
    if escape_controls(word) == word:
        return shlex.quote(word)
    # Quoting of bash, zsh and POSIX 2024, in which a control character can be written.
    plain = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{escape_controls(plain)}'"
