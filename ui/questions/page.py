"""Questions: ready questions, each with its SQL, its parameters, and its answer as a table, where it makes sense drawn too."""

import streamlit as st
from sqlalchemy import Connection

from shared.questions.challenge import Question, ResultTable, answer_question, list_questions
from ui.questions.chart import find_drawing, make_chart
from ui.services.resources import get_resources
from ui.style.error_messages import explained
from ui.style.exports import export_csv
from ui.style.tables import make_table
from ui.style.text import escape_markdown, format_plural

_PARAMETER = "question"


@st.fragment
def render_questions() -> None:
    """Draw the page."""
    questions = {question.name: question for question in list_questions()}
    left, right = st.columns([30, 70], gap="large")
    with left:
        question = _render_choice(questions)
    with right, explained():
        _render_question(question)


def _render_choice(questions: dict[str, Question]) -> Question:
    asked = st.query_params.get(_PARAMETER)
    if "question" not in st.session_state and asked in questions:
        st.session_state["question"] = asked
    name = st.radio("Question", list(questions), key="question", format_func=lambda name: questions[name].title)
    if asked != name:
        st.query_params[_PARAMETER] = name
    return questions[name]


def _render_question(question: Question) -> None:
    st.subheader(escape_markdown(question.title))
    parameters = _render_parameters(question)
    with st.spinner("Asking the database …"):
        table = get_resources().answers.open()(_answer, question.name, tuple(parameters.items()), reads_trips=True)
    _render_table(question, table)
    with st.expander("SQL", icon=":material/code:", expanded=True):
        st.code(_strip_notes(question.sql), language="sql", wrap_lines=True)


def _render_parameters(question: Question) -> dict[str, str]:
    with st.container(horizontal=True):
        return {
            name: st.text_input(name.capitalize(), default, key=f"{question.name}.{name}", width=280)
            for name, default in question.parameters.items()
        }


def _answer(connection: Connection, name: str, parameters: tuple[tuple[str, str], ...]) -> ResultTable:
    return answer_question(connection, name, **dict(parameters))


def _strip_notes(sql: str) -> str:
    """The query as a reader would run it, without the notes that made this page."""
    return "\n".join(line for line in sql.splitlines() if not line.startswith(("-- title:", "-- default:")))


def _render_table(question: Question, table: ResultTable) -> None:
    if not table.rows:
        st.info("No rows. Load trips first, or ask with other parameters.", icon=":material/search_off:")
        return
    drawing = find_drawing(table)
    left, right = st.columns([45, 55], gap="medium") if drawing else (st.container(), None)
    left.dataframe(
        make_table([dict(zip(table.columns, row, strict=True)) for row in table.rows]),
        hide_index=True,
        width="stretch" if drawing else "content",
        alt=f"Answer to: {question.title}",
    )
    if drawing and right:
        right.altair_chart(make_chart(drawing), key=f"chart_{question.name}", alt=drawing.describe())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(format_plural(len(table.rows), "row"), width="content")
        st.download_button(
            "CSV",
            export_csv(table.columns, table.rows),
            file_name=f"{question.name}.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
