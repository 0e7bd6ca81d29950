"""Fixtures of the command line's tests: it runs against a hub and a worker of the module's own.

from tests.cli_fixtures import big_load, tripdeck
"""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.environment import make_environment
from loader.sample.generate import Tally, generate_trips
from shared.platform.settings import Settings
from tests.command_line import CommandLine
from tests.hub import HubServer
from tests.loading import running_worker


@pytest.fixture(scope="module")
def tripdeck(hub: HubServer, hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    log_file = tmp_path_factory.mktemp("worker") / "worker.log"
    with running_worker(make_environment(hub_settings), log_file):
        yield CommandLine(hub_settings)


@pytest.fixture(scope="module")
def big_load(tripdeck: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Tally]:
    """A load of generated trips, some of them bad."""
    path = tmp_path_factory.mktemp("files") / "trips.csv"
    tally = generate_trips(path, rows=4_000, seed=11, bad_share=0.01)
    answer = tripdeck.run("load", str(path), "--json")
    assert answer.status == 0, answer
    return answer.json, tally
