"""A table inside a file of another format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True)
class InnerTable:
    """A table inside a file of another format, which is read as CSV (see transcoding).

    name: the sheet, or the keys of the array (path) with dots between; empty where the records are all of the file.
    layout: how JSON records follow each other. keys: the dotted names of their fields; none where records are arrays.
    others: names of further tables in the file.
    """

    format: Literal["json", "workbook"]
    name: str = ""
    path: tuple[str, ...] = ()
    layout: Literal["lines", "values", "array", "sheet"] = "sheet"
    encoding: str = "utf-8"
    keys: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it from JSON."""
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        return cls(**values)
