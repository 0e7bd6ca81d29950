"""An analyst's own question in SQL, over the views that analysts read."""

from typing import Final

import streamlit as st

from shared.questions.analyst_sql import MAX_CHARACTERS, list_columns, run_sql
from shared.questions.challenge import ResultTable
from ui.questions.answer import render_answer
from ui.services.resources import Resources
from ui.style.text import format_count

OWN: Final = "sql"
TITLE: Final = "Your own question in SQL"
_EXAMPLE: Final = """\
select region, date_part('hour', started_at)::integer as hour, count(*) as trips
from trips
group by region, hour
order by trips desc
limit 20"""


def render_own_sql(resources: Resources) -> None:
    """Draw the statement, its answer, and what there is to ask about."""
    st.subheader(TITLE)
    with st.form("own_sql_form", border=False):
        text = st.text_area(
            "SQL",
            _EXAMPLE,
            key="own_sql",
            height=190,
            max_chars=MAX_CHARACTERS,
            help="One SELECT. It can only read, and only the views below.",
        )
        is_asked = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    if is_asked:
        st.session_state["own_sql_asked"] = text
    asked = st.session_state.get("own_sql_asked")
    if asked is not None:
        _render_answer(resources, asked)
    with st.expander("What there is to read", icon=":material/table:", expanded=asked is None):
        _render_views(resources)


def _render_answer(resources: Resources, text: str) -> None:
    settings = resources.settings
    with st.spinner("Asking the database …"):
        answer = run_sql(resources.analyst, text, settings=settings)
    note = f", the first ones; an answer has {format_count(settings.sql_row_limit)} at most" if answer.is_truncated else ""
    render_answer(answer.table, name="answer", title="the statement above", note=note)


def _render_views(resources: Resources) -> None:
    if resources.analyst is None:
        return
    columns = list_columns(resources.analyst)
    lines = [f"`{view}`: {', '.join(f'{column} ({kind})' for column, kind in found)}" for view, found in _group(columns).items()]
    st.markdown("\n\n".join(lines))
    seconds = resources.settings.sql_timeout_ms / 1000
    st.caption(
        f"A question may take {seconds:g} s. weekly_trips sums up weeks, regions and datasources and answers at once; trips has "
        "every trip."
    )


def _group(columns: ResultTable) -> dict[str, list[tuple[str, str]]]:
    views: dict[str, list[tuple[str, str]]] = {}
    for view, column, kind in columns.rows:
        views.setdefault(view, []).append((column, kind.replace("timestamp without time zone", "timestamp")))
    return views
