"""Ready questions: the queries of sql/challenge.sql, each with a title, its SQL and parameters that have defaults.

answer_question(connection, "regions_of_datasource", datasource="cheap_mobile").rows
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from shared.platform.errors import NotFoundError, RequestError
from shared.platform.near_names import describe_near
from shared.services.database import execute
from shared.services.named_queries import NamedQuery, list_queries


@dataclass(frozen=True, slots=True)
class Question:
    """A ready question. parameters: name → default."""

    name: str
    title: str
    sql: str
    parameters: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"name": self.name, "title": self.title, "sql": self.sql, "parameters": self.parameters}


@dataclass(frozen=True, slots=True)
class ResultTable:
    """Columns and rows of an answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: instants as ISO text."""
        return {"columns": list(self.columns), "rows": [[_plain(value) for value in row] for row in self.rows]}


def list_questions() -> list[Question]:
    """List the ready questions in the order of sql/challenge.sql."""
    return [_make_question(named) for named in list_queries().values() if named.noun == "challenge"]


def answer_question(connection: Connection, name: str, /, **parameters: str) -> ResultTable:
    """Answer a ready question; parameters left out take their defaults.

    Raises: NotFoundError for an unknown question, RequestError for an unknown parameter.
    """
    question = next((each for each in list_questions() if each.name == name), None)
    if question is None:
        near = describe_near(name, (each.name for each in list_questions()))
        raise NotFoundError(f"There is no question {name!r}{near}.", question=name)
    for parameter in parameters:
        if parameter not in question.parameters:
            known = ", ".join(question.parameters) or "none"
            raise RequestError(f"The question {name} has no parameter {parameter!r}; it takes {known}.", parameter=parameter)
    result = execute(connection, name, **{**question.parameters, **parameters})
    return ResultTable(tuple(result.keys()), tuple(tuple(row) for row in result))


def _make_question(named: NamedQuery) -> Question:
    defaults = {name: named.defaults.get(name, "") for name in named.parameters}
    return Question(named.name, named.title, named.text, defaults)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
