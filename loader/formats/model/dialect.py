"""The dialect of delimited text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """How bytes become records and fields. header_lines counts the physical lines before the first record.

    has_spaces: a quote opens a field also one space after the delimiter (`"a", "b"`). escape: `\\` where `\\"` is a quote inside
    a quoted field.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    decimal: str = "."
    has_spaces: bool = False
    has_header: bool = True
    header_lines: int = 1
    field_count: int = 2
