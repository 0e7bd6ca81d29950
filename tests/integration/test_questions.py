"""Ready questions: the challenge's answers, their SQL, parameters and errors."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Connection

from shared.platform.errors import NotFoundError, RequestError
from shared.platform.settings import Settings
from shared.questions.challenge import answer_question, list_questions
from shared.services.database import connect_database, transaction
from tests.random_trips import MONDAY, make_trip
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected
from tests.trip_maker import insert_trips, read_challenge


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = connect_database(Settings(database_url=database_url))
    with transaction(engine) as connection:
        yield connection
    engine.dispose()


def test_the_challenges_answers(connection: Connection) -> None:
    expected = read_challenge_expected()
    insert_trips(connection, read_challenge(CHALLENGE_FILE))
    latest = answer_question(connection, "latest_datasource_of_top_regions")
    datasource, region, started_at = expected["bonus_latest_datasource_in_top2"]
    assert latest.columns == ("datasource", "region", "started_at")
    assert latest.rows == ((datasource, region, datetime.fromisoformat(started_at)),)
    assert latest.to_json()["rows"] == [[datasource, region, started_at]]
    each = answer_question(connection, "latest_datasource_per_top_region")
    assert [row[0] for row in each.rows] == expected["bonus_top2_regions"]
    assert {row[0]: row[2] for row in each.rows} == expected["bonus_latest_datasource_per_top2_region"]
    regions = answer_question(connection, "regions_of_datasource")
    assert [row[0] for row in regions.rows] == expected["bonus_cheap_mobile_regions"]


def test_the_two_most_common_regions_are_found_by_trips_then_name(connection: Connection) -> None:
    common = [make_trip(MONDAY, region=region, datasource="baba_car") for region in ("Prague", "Turin", "Hamburg", "Hamburg")]
    insert_trips(connection, [*common, make_trip(MONDAY, hour=23, region="Turin", datasource="funny_car")][:4])
    rows = answer_question(connection, "latest_datasource_per_top_region").rows
    assert [(row[0], row[1]) for row in rows] == [("Hamburg", 2), ("Prague", 1)]


def test_the_latest_trip_of_a_third_region_does_not_count(connection: Connection) -> None:
    insert_trips(connection, [*[make_trip(MONDAY, region=region) for region in ("Prague", "Turin") for _ in range(2)]])
    insert_trips(connection, [make_trip(MONDAY, hour=23, region="Hamburg", datasource="funny_car")])
    [row] = answer_question(connection, "latest_datasource_of_top_regions").rows
    assert row[0] == "baba_car"


def test_a_parameter_may_be_given(connection: Connection) -> None:
    insert_trips(connection, [make_trip(MONDAY, datasource="funny_car")])
    assert answer_question(connection, "regions_of_datasource", datasource="funny_car").rows == (("Turin",),)
    assert answer_question(connection, "regions_of_datasource").rows == ()


def test_questions_are_shown_with_title_sql_and_defaults() -> None:
    questions = list_questions()
    assert [question.name for question in questions] == [
        "latest_datasource_of_top_regions",
        "latest_datasource_per_top_region",
        "regions_of_datasource",
        "trips_per_region",
        "trips_per_week",
    ]
    assert all(question.title and "select" in question.sql for question in questions)
    assert questions[2].parameters == {"datasource": "cheap_mobile"}
    assert set(questions[0].to_json()) == {"name", "title", "sql", "parameters"}
    assert not any(line.startswith(("-- title", "-- default")) for question in questions for line in question.sql.splitlines())


def test_unknown_questions_and_parameters_are_refused(connection: Connection) -> None:
    with pytest.raises(NotFoundError):
        answer_question(connection, "list_loads")
    with pytest.raises(RequestError) as caught:
        answer_question(connection, "regions_of_datasource", colour="red")
    assert caught.value.parameter == "colour"
