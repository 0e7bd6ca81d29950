"""The whole product for browser tests: hub, worker and web app over a database of the module's own.

from tests.acceptance.site import Site, site, site_settings
"""

import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from infra.embedded import Program, find_free_ports, start_program, stop_process, wait_until_ready
from infra.environment import make_environment
from loader.pipeline.context import Context, make_context
from shared.platform.settings import Settings
from shared.services.queueing import connect_broker
from tests.acceptance.component_page import OUTPUT, PATIENCE_MS, ROOT, Watch, wait_for_frames
from tests.hub import HubServer
from tests.hub_fixtures import hub_settings
from tests.loading import load_bytes
from ui.components.build import build_components

__all__ = ["Site", "hub_settings", "open_tab", "site", "site_settings"]

OpenTab = Callable[..., Page]


@dataclass(frozen=True)
class Site:
    """A running web app with its hub."""

    settings: Settings
    hub: HubServer
    context: Context

    @property
    def url(self) -> str:
        """Address of the web app."""
        return f"http://127.0.0.1:{self.settings.ui_port}"

    def load(self, data: bytes, **options: Any) -> dict[str, Any]:
        """Load a file here and now."""
        return load_bytes(self.context, data, **options)


@pytest.fixture(scope="module")
def site_settings(hub_settings: Settings) -> Settings:
    """The hub's settings and a port for the web app, whose pages may call the hub."""
    [port] = find_free_ports(1)
    return hub_settings.model_copy(update={"ui_port": port, "allowed_origins": (f"http://127.0.0.1:{port}",)})


@pytest.fixture(scope="module")
def site(site_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Hub and web app, no worker."""
    build_components()
    folder = tmp_path_factory.mktemp("site")
    hub = HubServer.start(site_settings, folder)
    program = Program(
        name="ui",
        command=(sys.executable, "-m", "ui.main"),
        folder=ROOT,
        log_file=folder / "ui.log",
        check=partial(_check_health, f"http://127.0.0.1:{site_settings.ui_port}/_stcore/health"),
        environment=make_environment(site_settings),
    )
    process = start_program(program)
    wait_until_ready(process)
    context = make_context(site_settings, connect_broker(site_settings))
    yield Site(site_settings, hub, context)
    context.engine.dispose()
    context.broker.client.close()
    stop_process(process)
    hub.stop()


@pytest.fixture
def open_tab(chromium: Browser, watch: Watch) -> Iterator[OpenTab]:
    """Open tabs, light or dark, that must show no error and ask no foreign host."""
    contexts = []

    def open_tab(scheme: str = "light", *, motion: str = "reduce", size: tuple[int, int] = (1280, 720)) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion=motion,
            locale="en-GB",
            timezone_id="Europe/Rome",
        )
        contexts.append(context)
        context.set_default_timeout(2 * PATIENCE_MS)
        expect.set_options(timeout=2 * PATIENCE_MS)
        tab = context.new_page()
        watch.follow(tab)
        return tab

    yield open_tab
    for context in contexts:
        context.close()


def see_number(page: Page, label: str) -> Locator:
    """The number under a label."""
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return metric.get_by_test_id("stMetricValue")


# Maps with all their tiles, charts with their drawings, text in its own font, and nothing pale that an older run has left.
_IS_DRAWN = """() => document.fonts.status === 'loaded'
    && !document.querySelector('[data-stale=true]')
    && [...document.querySelectorAll('.td-root')].every(map => 'ready' in map.dataset)
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(chart => chart.querySelector('svg, canvas'))"""


def save_picture(page: Page, name: str) -> None:
    """Keep a picture of the page in tests/output, once nothing on it runs any more and all of it is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_function(_IS_DRAWN)
    wait_for_frames(page)
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", animations="disabled")  # what fades in is there


def _check_health(url: str) -> None:
    with urllib.request.urlopen(url, timeout=2) as answer:
        answer.read()
