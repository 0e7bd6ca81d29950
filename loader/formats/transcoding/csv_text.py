"""CSV text: rows of text as UTF-8 CSV with one physical line per row."""

import csv
import io
from collections.abc import Sequence

from loader.formats.model.dialect import Dialect

# What every transcoder writes. A header, where there is one, is among the rows.
DIALECT = Dialect(header_lines=0)
_BREAKS = str.maketrans({"\r": " ", "\n": " "})


def write_rows(rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows as CSV. A row without fields is an empty line. Line breaks inside a field become spaces."""
    text = _write(rows)
    if text.count("\n") != len(rows) or "\r" in text:
        text = _write([[field.translate(_BREAKS) for field in row] for row in rows])
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _write(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
