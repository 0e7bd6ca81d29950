"""What pages say when something is away, and before the first load: one message, never a traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.platform.settings import Settings
from tests.hub import HubServer
from tests.services import PostgresServer
from tests.ui.conftest import OpenPage, texts
from ui.services.resources import connect_resources, provide_resources


@pytest.fixture
def hub(settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer.start(settings, tmp_path)
    yield server
    server.stop()


def test_explore_before_the_first_load_leads_to_load(open_page: OpenPage) -> None:
    assert "No trips yet" in texts(open_page())


def test_load_asks_for_a_hub(open_page: OpenPage) -> None:
    app = open_page("load")
    assert len(app.error) == 1
    assert "no file can be loaded" in texts(app)
    assert not app.get("bidi_component")


def test_load_with_a_hub_shows_the_drop_zone(hub: HubServer, open_page: OpenPage) -> None:
    app = open_page("load")
    assert not app.error
    assert len(app.get("bidi_component")) == 1


@pytest.mark.parametrize("page", ["explore", "loads", "questions"])
def test_a_database_that_is_away_is_said_once(
    own_postgres: PostgresServer, settings: Settings, open_page: OpenPage, page: str
) -> None:
    here = settings.model_copy(update={"database_url": type(settings.database_url)(own_postgres.clone_template())})
    resources = connect_resources(here)
    provide_resources(resources)
    own_postgres.kill()
    app = open_page(page)
    assert len(app.error) == 1
    assert "The database can't be reached" in texts(app)
    assert not app.exception
    own_postgres.restart()
    app.button(key="try_again_database_unavailable").click().run()
    assert not app.error
    resources.close()
