"""An answer: as a table, where it makes sense drawn too, and as files."""

import streamlit as st

from shared.questions.challenge import ResultTable
from ui.questions.chart import find_drawing, make_chart
from ui.style.exports import export_csv, export_parquet
from ui.style.tables import make_table
from ui.style.text import format_plural


def render_answer(table: ResultTable, *, name: str, title: str, note: str = "") -> None:
    """Draw an answer. name: of its files; note: what is to be said of its length."""
    if not table.rows:
        st.info("No rows. Load trips first, or ask with other parameters.", icon=":material/search_off:")
        return
    drawing = find_drawing(table)
    left, right = st.columns([45, 55], gap="medium") if drawing else (st.container(), None)
    left.dataframe(
        make_table([dict(zip(table.columns, row, strict=True)) for row in table.rows]),
        hide_index=True,
        width="stretch" if drawing else "content",
        alt=f"Answer to: {title}",
    )
    if drawing and right:
        right.altair_chart(make_chart(drawing), key=f"chart_{name}", alt=drawing.describe())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{format_plural(len(table.rows), 'row')}{note}", width="content")
        for label, data, mime in (
            ("CSV", export_csv(table.columns, table.rows), "text/csv"),
            ("Parquet", export_parquet(table.columns, table.rows), "application/vnd.apache.parquet"),
        ):
            st.download_button(
                label,
                data,
                file_name=f"{name}.{label.lower()}",
                mime=mime,
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
            )
