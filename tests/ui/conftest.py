"""Pages without a browser: the app runs in AppTest against a database of its own."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from loader.pipeline.context import Context
from shared.platform.settings import Settings
from tests.loading import load_bytes
from tests.shared_data import CHALLENGE_FILE
from ui.main import SCRIPT
from ui.services.resources import Resources, connect_resources, provide_resources

OpenPage = Callable[..., AppTest]


@pytest.fixture
def resources(settings: Settings) -> Iterator[Resources]:
    """What the pages get: this test's database, and a hub that isn't there."""
    resources = connect_resources(settings)
    provide_resources(resources)
    yield resources
    resources.close()


@pytest.fixture
def open_page(resources: Resources) -> OpenPage:
    """Open a page by its name with parameters of the address."""

    def open_page(page: str = "explore", **params: str) -> AppTest:
        app = AppTest.from_file(SCRIPT, default_timeout=60)
        app.query_params.update({name.rstrip("_"): value for name, value in params.items()})
        if page != "explore":
            app.switch_page(f"app_pages/{page}.py")
        app.run()
        assert not app.exception
        return app

    return open_page


@pytest.fixture
def challenge(context: Context) -> dict[str, Any]:
    """The challenge's 100 trips, loaded."""
    return load_bytes(context, CHALLENGE_FILE.read_bytes(), file_name="trips.csv")


def metrics(app: AppTest) -> dict[str, str]:
    """The numbers on the page by their label."""
    return {metric.label: metric.value for metric in app.metric}


def texts(app: AppTest) -> str:
    """Everything the page says in words."""
    parts = (app.caption, app.markdown, app.info, app.warning, app.error, app.subheader)
    return "\n".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", element.value) for kind in parts for element in kind)
