"""The page Questions."""

from ui.questions.page import render_questions

render_questions()
