"""A Streamlit page in a real Chromium: its server, the browser, and a watch over what the page must never do."""

import os
import shutil
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from infra.embedded import Process, Program, find_free_ports, start_program, stop_process, wait_until_ready
from tests.conftest import skip_or_fail
from ui.components.build import build_components

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output"
# Software rendering on a busy machine: everything comes, but late.
PATIENCE_MS = 45_000
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Watch:
    """What went wrong on a page: errors in its console, requests to hosts other than this machine."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    tolerated: tuple[str, ...] = ()  # parts of messages that a test provokes on purpose

    def follow(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._take_message)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._take_request)

    def check(self) -> None:
        """Fail when anything was seen."""
        errors = [error for error in self.errors if not any(part in error for part in self.tolerated)]
        assert errors == [], errors
        assert self.foreign == [], self.foreign

    def _take_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _take_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("blob", "data", "file") and url.hostname not in ("127.0.0.1", "localhost"):
            self.foreign.append(request.url)


def start_page_server(
    script: Path, log_file: Path, *, port: int, environment: Mapping[str, str] | None = None
) -> tuple[Process, str]:
    """Serve a Streamlit script; returns the process and the page's URL."""
    url = f"http://127.0.0.1:{port}"
    options = {
        "server.address": "127.0.0.1",
        "server.port": port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    program = Program(
        name="streamlit",
        command=(sys.executable, "-m", "streamlit", "run", str(script), *flags),
        folder=ROOT,
        log_file=log_file,
        check=partial(_check_health, f"{url}/_stcore/health"),
        environment={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    )
    process = start_program(program)
    wait_until_ready(process)
    return process, url


def _check_health(url: str) -> None:
    with urllib.request.urlopen(url, timeout=2) as answer:
        answer.read()


def serve_page(
    script: str, folder: Path, *, port: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve a script of this folder while a fixture lives, on a free port where none is given."""
    build_components()
    process, url = start_page_server(
        Path(__file__).parent / script,
        folder / "streamlit.log",
        port=port or find_free_ports(1)[0],
        environment=environment,
    )
    yield url
    stop_process(process)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless; WebGL runs in software."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip_or_fail("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """A watch that must have seen nothing when the test ends."""
    seen = Watch()
    yield seen
    seen.check()


@pytest.fixture
def page(chromium: Browser, watch: Watch) -> Iterator[Page]:
    """A tab of its own, 1280 by 800."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    tab = context.new_page()
    watch.follow(tab)
    yield tab
    context.close()


def check_accessible(page: Page, root: str, *, exclude: Sequence[str] = ()) -> None:
    """Fail on serious or critical violations that axe finds inside root, but for what others draw and nobody can name."""
    page.add_script_tag(path=ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate(
        "async ([root, exclude]) => (await axe.run({include: [root], exclude}, {resultTypes: ['violations']})).violations",
        [root, list(exclude)],
    )
    serious = [
        (violation["id"], [(node["html"][:160], node["failureSummary"]) for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == [], serious


def save_screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page in tests/output."""
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png")


def wait_for_frames(page: Page) -> None:
    """Wait until the page has drawn two frames."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
