"""The page Questions."""

from ui.questions import render_questions

render_questions()
