"""Pages without a browser: the app runs in AppTest against a database of its own."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from shared.database import transaction
from shared.settings import Settings
from tests.shared_data import CHALLENGE_FILE
from tests.trip_maker import insert_trips, read_challenge
from ui.main import SCRIPT
from ui.resources import Resources, connect_resources, provide_resources

OpenPage = Callable[..., AppTest]


@pytest.fixture
def resources(settings: Settings) -> Iterator[Resources]:
    """What the pages get: this test's database, and a hub that isn't there."""
    resources = connect_resources(settings)
    provide_resources(resources)
    yield resources
    resources.engine.dispose()


@pytest.fixture
def open_page(resources: Resources) -> OpenPage:
    """Open a page by its name with parameters of the address."""

    def open_page(page: str = "explore", **params: str) -> AppTest:
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({name.rstrip("_"): value for name, value in params.items()})
        if page != "explore":
            app.run()
            app.query_params.update({name.rstrip("_"): value for name, value in params.items()})
            app.switch_page(f"app_pages/{page}.py")
        app.run()
        assert not app.exception
        return app

    return open_page


@pytest.fixture
def challenge(engine: Engine) -> None:
    """The challenge's 100 trips."""
    with transaction(engine) as connection:
        insert_trips(connection, read_challenge(CHALLENGE_FILE))


def metrics(app: AppTest) -> dict[str, str]:
    """The numbers on the page by their label."""
    return {metric.label: metric.value for metric in app.metric}


def texts(app: AppTest) -> str:
    """Everything the page says in words."""
    parts = (app.caption, app.markdown, app.info, app.warning, app.error, app.subheader)
    return "\n".join(element.value for kind in parts for element in kind)
