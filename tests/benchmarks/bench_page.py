"""How fast Explore answers in a browser, over a stack that runs. Not collected by pytest.

    python -m tests.benchmarks.bench_page 'http://127.0.0.1:8501/?region=Turin' [--drags 30] [--api http://127.0.0.1:8600]

Prints milliseconds, each until the number stands in the page's DOM (drawing is left out). First paint: from the browser's first
message to the page's server, with which the script starts, and from the address being opened. A box drawn with the mouse: from
letting go to the new number of trips, and until map, charts and table have followed.
And bytes: the page's largest message, and that of 50,000 flows.
"""

import argparse
import json
import random
import shutil
import statistics
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Page, WebSocket, sync_playwright

from shared.groups.question import Flow, FlowLocation, FlowMap
from tests.acceptance.component_page import CHROMIUM_OPTIONS
from ui.flowmap import encode_content

_PATIENCE_MS: Final = 120_000
_LONGEST_MS: Final = 20_000
_FLOWS: Final = 50_000
_READ_TRIPS: Final = """() => [...document.querySelectorAll('[data-testid=stMetric]')].find(
    (metric) => metric.querySelector('[data-testid=stMetricLabel]')?.textContent.trim() === 'Trips'
)?.querySelector('[data-testid=stMetricValue]')?.textContent.trim()"""
_WATCH: Final = """(() => {
    const read = %s;
    const bench = (window.bench = { last: read(), began: 0, took: null });
    window.addEventListener('pointerup', () => { bench.began = performance.now(); }, true);
    new MutationObserver(() => {
        const now = read();
        if (bench.began && now && now !== bench.last) {
            bench.took = performance.now() - bench.began;
            bench.began = 0;
            bench.last = now;
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
})()"""


@dataclass
class Traffic:
    """When the browser first spoke to the page's server, and the largest answer."""

    first_sent_s: float | None = None
    largest_bytes: int = 0

    def follow(self, socket: WebSocket) -> None:
        """Listen to the page's own socket, not to the feed's."""
        if "_stcore/stream" in socket.url:
            socket.on("framesent", lambda _: self._take_sent())
            socket.on("framereceived", self._take_received)

    def _take_sent(self) -> None:
        self.first_sent_s = self.first_sent_s or time.perf_counter()

    def _take_received(self, payload: str | bytes) -> None:
        self.largest_bytes = max(self.largest_bytes, len(payload))


def measure_first_paint(page: Page, url: str, traffic: Traffic) -> dict[str, float]:
    """Open Explore and wait for its numbers."""
    began_s = time.perf_counter()
    page.goto(url)
    page.wait_for_function(f"() => Boolean(({_READ_TRIPS})())", polling=10)
    ended_s = time.perf_counter()
    script_s = traffic.first_sent_s or began_s
    return {"from_script_start": (ended_s - script_s) * 1000, "from_address": (ended_s - began_s) * 1000}


def measure_drags(page: Page, count: int) -> tuple[list[float], list[float]]:
    """Draw boxes of many sizes, each when the page is done with the one before; times to the number, and to the whole page."""
    page.wait_for_selector(".td-root[data-ready]")
    page.evaluate(_WATCH % _READ_TRIPS)
    ground = page.locator(".td-host").bounding_box()
    assert ground is not None
    chance = random.Random(7)
    took: list[float] = []
    whole: list[float] = []
    for _ in range(count):
        middle = [0.5 + chance.uniform(-0.12, 0.12) for _ in range(2)]
        half = [chance.uniform(0.03, 0.22) for _ in range(2)]
        corners = [
            (
                ground["x"] + ground["width"] * (middle[0] + sign * half[0]),
                ground["y"] + ground["height"] * (middle[1] + sign * half[1]),
            )
            for sign in (-1, 1)
        ]
        page.evaluate("() => { bench.took = null; }")
        page.keyboard.down("Shift")
        page.mouse.move(*corners[0])
        page.mouse.down()
        page.mouse.move(*corners[1], steps=5)
        dropped_s = time.perf_counter()
        page.mouse.up()
        page.keyboard.up("Shift")
        page.wait_for_function(f"() => bench.took || performance.now() - bench.began > {_LONGEST_MS}", polling=10)
        # None: the box has as many trips as the one before, so nobody can tell when its number came.
        if (number_ms := page.evaluate("() => bench.took")) is not None:
            took.append(number_ms)
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", state="attached")
        whole.append((time.perf_counter() - dropped_s) * 1000)
    return sorted(took), sorted(whole)


def measure_flows(api: str) -> dict[str, int]:
    """Bytes of the largest flows of all trips as the map gets them."""
    question = urllib.parse.urlencode({"limit": _FLOWS, "precision": 6})
    with urllib.request.urlopen(f"{api}/api/v1/flows?{question}", timeout=120) as answer:
        body: dict[str, Any] = json.load(answer)
    flow_map = FlowMap(
        tuple(FlowLocation(**each) for each in body["locations"]),
        tuple(Flow(**each) for each in body["flows"]),
        trips=body["trips"],
        shown_trips=body["shown_trips"],
        precision=body["precision"],
    )
    return {"flows": len(flow_map.flows), "bytes": len(encode_content(flow_map).flows)}


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="Explore, with parameters if you like: http://127.0.0.1:8501/?region=Turin")
    parser.add_argument("--api", help="the hub, to measure the message of 50,000 flows")
    parser.add_argument("--drags", type=int, default=30)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
        page.set_default_timeout(_PATIENCE_MS)
        traffic = Traffic()
        page.on("websocket", traffic.follow)
        found: dict[str, Any] = {"first_paint_ms": measure_first_paint(page, asked.url, traffic)}
        for name, times in zip(("drag_to_number_ms", "drag_to_whole_page_ms"), measure_drags(page, asked.drags), strict=True):
            found[name] = {"median": statistics.median(times), "p95": times[-(-len(times) * 95 // 100) - 1], "drags": len(times)}
        found["largest_message_bytes"] = traffic.largest_bytes
        browser.close()
    if asked.api:
        found["largest_flows"] = measure_flows(asked.api)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
