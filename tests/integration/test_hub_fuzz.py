"""Generated requests for every operation of the description, good ones and bad ones, against a running hub with real services."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import pytest
import requests
import schemathesis.openapi
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from sqlalchemy import Engine

from loader.hub.api.openapi import make_openapi
from loader.hub.application import ROUTES
from shared.events import record_event
from shared.services.database import transaction
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_settings
from tests.random_trips import make_trip
from tests.trip_maker import insert_trips

__all__ = ["hub", "hub_engine", "hub_settings"]

CHECKS: Final = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# All together some 60 s; more find what more time finds.
EXAMPLES: Final = 12
SEED: Final = 20_261_130
ENDLESS: Final = "stream_events"
OPERATIONS: Final = sorted(
    {each["operationId"] for methods in make_openapi(ROUTES)["paths"].values() for each in methods.values()} - {ENDLESS}
)


@pytest.fixture(scope="module", autouse=True)
def trips(hub_engine: Engine) -> None:
    with transaction(hub_engine) as connection:
        load_id = insert_trips(
            connection, [make_trip(date(2024, 5, day), hour=day % 24, duration_s=600) for day in range(1, 29)], kind="unindexed"
        )
        record_event(connection, load_id, "succeeded")


@pytest.fixture(scope="module")
def schema(hub: HubServer) -> Any:
    return schemathesis.openapi.from_url(f"{hub.url}/openapi.json")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_described(schema: Any, session: requests.Session, name: str, mode: GenerationMode) -> None:
    operation = schema.find_operation_by_id(name)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        response = case.call(session=session, timeout=120)
        if response.status_code != 405:  # another method or path than the one that is described
            case.validate_response(response, checks=CHECKS)

    try:
        check()
    except Exception as error:
        if "Unsatisfiable" in type(error).__name__:
            pytest.skip("nothing can be wrong with it")
        raise


def test_the_log_holds_no_failure(hub: HubServer) -> None:
    assert "Traceback" not in hub.log()
