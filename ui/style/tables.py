"""Tables: rows as Streamlit draws them, whole numbers with thin spaces and still sorted as numbers."""

from collections.abc import Mapping, Sequence

import pandas as pd

from shared.platform.safe_text import escape_controls
from ui.style.text import NOTHING, format_count, format_instant


def make_table(rows: Sequence[Mapping[str, object]]) -> "pd.io.formats.style.Styler":
    """Rows with the same columns as a table. Counts, not ids, are what whole numbers are taken for."""
    return pd.DataFrame(list(rows)).style.format(_format)


def _format(value: object) -> str:
    if value is None or value is pd.NaT:
        return NOTHING
    if isinstance(value, pd.Timestamp):
        return format_instant(value.to_pydatetime())
    return format_count(value) if isinstance(value, int) else escape_controls(str(value))
