"""Questions: ready questions, each with its SQL, its parameters and its answer; and the analyst's own, where that is on."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st
from sqlalchemy import Connection

from shared.questions.catalog import list_datasources, list_regions
from shared.questions.challenge import Question, ResultTable, answer_question, list_questions
from ui.questions.answer import render_answer
from ui.questions.own_sql import OWN, TITLE, render_own_sql
from ui.services.resources import get_resources
from ui.style.error_messages import explained
from ui.style.text import escape_markdown

_PARAMETER = "question"
# Parameters that name something that exists, and what lists it.
_LISTS: Final[Mapping[str, Callable[[Connection], list[dict[str, Any]]]]] = {
    "datasource": list_datasources,
    "region": list_regions,
}


@st.fragment
def render_questions() -> None:
    """Draw the page."""
    questions = {question.name: question for question in list_questions()}
    left, right = st.columns([30, 70], gap="large")
    with left:
        name = _render_choice({name: question.title for name, question in questions.items()})
    with right, explained():
        if name == OWN:
            render_own_sql(get_resources())
        else:
            _render_question(questions[name])


def _render_choice(titles: dict[str, str]) -> str:
    if get_resources().analyst is not None:
        titles = {**titles, OWN: TITLE}
    asked = st.query_params.get(_PARAMETER)
    if "question" not in st.session_state and asked in titles:
        st.session_state["question"] = asked
    name: str = st.radio("Question", list(titles), key="question", format_func=lambda name: titles[name])
    if asked != name:
        st.query_params[_PARAMETER] = name
    return name


def _render_question(question: Question) -> None:
    st.subheader(escape_markdown(question.title))
    parameters = _render_parameters(question)
    with st.spinner("Asking the database …"):
        table = get_resources().answers.open()(_answer, question.name, tuple(parameters.items()), reads_trips=True)
    render_answer(table, name=question.name, title=question.title)
    with st.expander("SQL", icon=":material/code:", expanded=True):
        st.code(_strip_notes(question.sql), language="sql", wrap_lines=True)


def _render_parameters(question: Question) -> dict[str, str]:
    with st.container(horizontal=True):
        return {name: _render_parameter(question, name, default) for name, default in question.parameters.items()}


def _render_parameter(question: Question, name: str, default: str) -> str:
    """A parameter that names something is chosen from what there is, most trips first; others are typed."""
    label, key = name.capitalize(), f"{question.name}.{name}"
    found = [row["name"] for row in get_resources().answers.open()(_LISTS[name])] if name in _LISTS else []
    if not found:
        return st.text_input(label, default, key=key, width=280)
    index = found.index(default) if default in found else 0
    return str(st.selectbox(label, found, index, key=key, width=280))


def _answer(connection: Connection, name: str, parameters: tuple[tuple[str, str], ...]) -> ResultTable:
    return answer_question(connection, name, **dict(parameters))


def _strip_notes(sql: str) -> str:
    """The query as a reader would run it, without the notes that made this page."""
    return "\n".join(line for line in sql.splitlines() if not line.startswith(("-- title:", "-- default:")))
