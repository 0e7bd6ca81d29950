"""Answers are kept while nothing changes the trips, and no longer."""

from sqlalchemy import Connection, Engine

from shared.database import transaction
from shared.events import record_event
from shared.objects import ObjectStore
from tests.loading import request_load
from ui.answers import Answers


def test_the_same_question_is_asked_once_until_a_load_says_something(engine: Engine, object_store: ObjectStore) -> None:
    load_id = request_load(engine, object_store, b"x")
    answers, asked = Answers(engine), []

    def fetch(_connection: Connection, name: str) -> str:
        asked.append(name)
        return name.upper()

    for _ in range(3):
        with answers.open() as ask:
            assert (ask(fetch, "a"), ask(fetch, "b")) == ("A", "B")
    assert asked == ["a", "b"]
    with answers.open() as old:
        with transaction(engine) as connection:
            record_event(connection, load_id, "batch")
        with answers.open() as ask:
            ask(fetch, "a")
        assert asked == ["a", "b", "a"]
        assert old(fetch, "b") == "B"
    assert asked == ["a", "b", "a", "b"], "an answer to older data is not kept"
