"""The page about notebooks: its code blocks run as they stand, against a hub with trips, and give what the API gives."""

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from infra.environment import make_environment
from shared.platform.hub_tokens import make_token
from shared.platform.settings import Settings
from tests.analysts import as_analyst
from tests.command_line import CommandLine, make_file
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_redis
from tests.hub_fixtures import hub_settings as plain_settings
from tests.loading import running_worker

__all__ = ["hub", "hub_engine", "hub_redis", "plain_settings"]

PAGE = Path(__file__).parents[2] / "docs/notebook.md"
SECRET = "a secret of a notebook's hub"
ROWS = 4_000


@pytest.fixture(scope="module")
def hub_settings(plain_settings: Settings) -> Settings:
    return as_analyst(plain_settings).model_copy(update={"hub_secret": SecretStr(SECRET)})


@pytest.fixture(scope="module")
def open_settings(plain_settings: Settings) -> Settings:
    return as_analyst(plain_settings)


@pytest.fixture(scope="module")
def open_hub(hub: HubServer, open_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A hub that asks for no token, beside the one that does, with a load of generated trips."""
    from infra.embedded import find_free_ports

    [port] = find_free_ports(1)
    settings = open_settings.model_copy(update={"hub_port": port, "api_url": f"http://127.0.0.1:{port}"})
    folder = tmp_path_factory.mktemp("open")
    server = HubServer.start(settings, folder)
    with running_worker(make_environment(settings), folder / "worker.log"):
        answer = CommandLine(settings).run("load", str(make_file(folder, seed=90, rows=ROWS)), "--json")
        assert (answer.status, answer.json["rows_loaded"]) == (0, ROWS), answer
        yield server
    server.stop()


def read_blocks(page: Path, section: str) -> str:
    """The Python of a section."""
    _, found, text = page.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    assert found, section
    return "\n".join(re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.DOTALL))


def run(section: str, hub: HubServer) -> dict[str, Any]:
    """Run the start of the page and a section as they stand, but for the hub's port; returns their names."""
    names: dict[str, Any] = {}
    for each in ("Start", section):
        code = read_blocks(PAGE, each).replace("127.0.0.1:8600", f"127.0.0.1:{hub.port}")
        exec(compile(code, each, "exec"), names)
    return names


def count_lines(section: str) -> int:
    return sum(bool(line) for line in read_blocks(PAGE, section).splitlines())


def test_every_section_with_code_is_run() -> None:
    sections = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == ["Start", "pandas", "Polars", "DuckDB", "Your own SQL", "More than a page", "The feed", "With a token"]
    assert all(count_lines(section) <= 3 for section in ("pandas", "Polars", "DuckDB", "Your own SQL"))


def test_pandas(open_hub: HubServer) -> None:
    groups = run("pandas", open_hub)["groups"]
    found = open_hub.get("/api/v1/trip-groups", region="Turin", limit=500).json()["groups"]
    assert groups["trips"].tolist() == [group["trips"] for group in found]
    assert groups["origin_cell"].tolist() == [group["origin_cell"] for group in found]


def test_polars(open_hub: HubServer) -> None:
    weeks = run("Polars", open_hub)["weeks"]
    found = open_hub.get("/api/v1/weekly-average", bbox="7.5,45.0,7.8,45.2", end="either").json()
    assert weeks["trips"].to_list() == [week["trips"] for week in found["weeks"]]
    assert weeks["trips"].sum() == found["trips"] > 0


def test_duckdb(open_hub: HubServer) -> None:
    busiest = run("DuckDB", open_hub)["busiest"]
    totals: dict[str, int] = {}
    for flow in open_hub.get("/api/v1/flows", region="Turin", limit=500).json()["flows"]:
        totals[flow["origin"]] = totals.get(flow["origin"], 0) + flow["trips"]
    assert busiest["trips"].astype(int).tolist() == sorted(totals.values(), reverse=True)[:10]
    assert all(totals[origin] == trips for origin, trips in zip(busiest["origin"], busiest["trips"], strict=True))


def test_sql(open_hub: HubServer) -> None:
    regions = run("Your own SQL", open_hub)["regions"]
    found = {each["name"]: each["trips"] for each in open_hub.get("/api/v1/regions").json()["regions"]}
    assert dict(zip(regions["region"], regions["trips"], strict=True)) == found


def test_pages(open_hub: HubServer) -> None:
    groups = run("More than a page", open_hub)["all_groups"]
    [region] = [each for each in open_hub.get("/api/v1/regions").json()["regions"] if each["name"] == "Turin"]
    assert len(groups) > 500
    assert groups["trips"].sum() == region["trips"]


def test_feed(open_hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    event = run("The feed", open_hub)["event"]
    gc.collect()  # a loop that was left closes its connection
    assert (event["state"], event["rows_loaded"]) == ("succeeded", ROWS)
    states = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert (states[0], states[-1]) == ("queued", "succeeded")


def test_token(hub: HubServer, open_hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPDECK_API_TOKEN", make_token(SECRET, "read", lifetime_s=600))
    regions = run("With a token", hub)["regions"]
    assert regions["trips"].sum() == ROWS
