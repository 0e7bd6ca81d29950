"""Files looked at before they are loaded, over HTTP."""

import contextlib
import io
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import urllib3

from infra.embedded import find_free_ports
from shared.platform.settings import Settings
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_settings
from tests.loading import wait_until

__all__ = ["hub", "hub_settings"]

TIMEOUT_S = 6.0
GOOD = b"start_lon,start_lat,end_lon,end_lat,start_time\n" + b"7.68,45.07,7.66,45.05,2018-05-28 09:03:40\n" * 3


@pytest.fixture(scope="module")
def strict_hub(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A hub whose inspections may take little time and memory, one at a time."""
    [port] = find_free_ports(1)
    changes = {"hub_port": port, "inspect_timeout_s": TIMEOUT_S, "inspect_memory_mib": 128, "inspect_processes": 1}
    server = HubServer.start(hub_settings.model_copy(update=changes), tmp_path_factory.mktemp("strict"))
    yield server
    server.stop()


@pytest.fixture(autouse=True, scope="module")
def warm(hub: HubServer) -> None:
    """Wait for the compiled kernels: where nobody has kept them yet, they take minutes of a busy machine."""
    url = f"{hub.url}/api/v1/inspect?file_name=a.csv&is_whole=true"
    assert urllib3.request("POST", url, body=GOOD, timeout=280, retries=False).status == 200


def inspect(hub: HubServer, data: bytes = GOOD, file_name: str = "a.csv") -> tuple[int, str]:
    answer = hub.post("/api/v1/inspect", data, file_name=file_name, is_whole="true")
    return (200, "") if answer.status == 200 else read_error(answer)


def find_inspector(hub: HubServer) -> psutil.Process:
    [found] = [
        child for child in psutil.Process(hub.process.pid).children() if "loader.hub.inspection.process" in child.cmdline()
    ]
    return found


def make_dictionary_bomb() -> bytes:
    """A file of a few kilobytes whose one text, repeated, makes gigabytes."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 65_536, pa.int32()), pa.array(["x" * 32_768]))
    numbers = pa.array([7.0] * 65_536)
    times = pa.array(["2018-05-28 09:03:40"] * 65_536)
    names = ["start_lon", "start_lat", "end_lon", "end_lat", "start_time", "region"]
    file = io.BytesIO()
    pq.write_table(pa.table([numbers] * 4 + [times, text], names=names), file, compression="zstd")
    return file.getvalue()


def test_inspection_tells_the_format_and_the_first_rows(hub: HubServer) -> None:
    rows = [f"Turin,POINT (7.6 45.0{n}),POINT (7.7 45.1),2018-05-0{n} 10:00:00,phone" for n in range(1, 8)]
    data = "\n".join(
        [
            "region,origin_coord,destination_coord,datetime,datasource",
            *rows,
            "Turin,nowhere,POINT (1 1),2018-05-01 10:00:00,phone",
            "",
        ]
    )
    answer = hub.post("/api/v1/inspect", data.encode(), file_name="trips.csv", is_whole="true")
    found = answer.json()
    assert (answer.status, found["rows_read"], found["rows_rejected"]) == (200, 8, 1)
    assert found["plan"]["columns"][0] == "region"
    assert (found["trips"][0]["started_at"], found["trips"][0]["region"]) == ("2018-05-01T10:00:00", "Turin")
    assert (found["rejects"][0]["line"], found["rejects"][0]["column"]) == (9, "origin_coord")
    assert {role["role"]: (role["column"], role["number"]) for role in found["roles"]}["started_at"] == ("datetime", 4)
    assert (found["clock"], found["timezone"], found["reasons"]) == ("as_written", None, {"origin_unreadable": 1})
    assert (found["suggested_region"], found["suggested_timezone"]) == ("Turin", "Europe/Rome")


def test_inspection_offers_the_answers_to_what_a_file_leaves_open(hub: HubServer) -> None:
    data = b"from,to,when\nPOINT (7.6 45.0),POINT (7.7 45.1),01/02/2018 10:00\n"
    error = hub.post("/api/v1/inspect", data, file_name="a.csv", is_whole="true").json()
    assert (error["code"], error["parameter"]) == ("ambiguous_dates", "date_order")
    assert [choice["options"] for choice in error["choices"]] == [{"date_order": "mdy"}, {"date_order": "dmy"}]
    assert error["columns"] == ["from", "to", "when"]
    answer = hub.post("/api/v1/inspect", data, file_name="a.csv", is_whole="true", **error["choices"][1]["options"]).json()
    assert (answer["trips"][0]["started_at"], answer["as_last_time"]) == ("2018-02-01T10:00:00", None)
    assert hub.ask("DELETE", f"/api/v1/readings/{'0' * 32}").status == 404


def test_inspection_refuses_what_is_no_trip_file(hub: HubServer) -> None:
    answer = hub.post("/api/v1/inspect", b"just some words\n" * 10, file_name="notes.txt", is_whole="true")
    assert answer.status == 422
    assert read_error(hub.post("/api/v1/inspect", b"", file_name="a.csv")) == (422, "empty_file")
    assert read_error(hub.post("/api/v1/inspect", b"x" * (8 * 2**20 + 1), file_name="a.csv")) == (413, "too_large")


def test_a_hanging_library_is_killed_and_the_next_file_is_looked_at(strict_hub: HubServer) -> None:
    assert inspect(strict_hub) == (200, "")
    hung = find_inspector(strict_hub)
    hung.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(inspect, strict_hub)
        slowest = 0.0
        while not waiting.done():
            begun = time.monotonic()
            assert strict_hub.get("/healthz").status == 200
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.05)
    assert waiting.result() == (422, "inspection_too_long")
    assert slowest < 1
    assert inspect(strict_hub) == (200, "")
    assert find_inspector(strict_hub).pid != hung.pid


def test_a_file_that_takes_all_memory_is_refused_and_the_hub_is_no_larger(strict_hub: HubServer) -> None:
    assert inspect(strict_hub) == (200, "")
    before = strict_hub.rss_bytes
    status, code = inspect(strict_hub, make_dictionary_bomb(), "bomb.parquet")
    assert (status, code == "internal") == (422, False)
    assert strict_hub.rss_bytes - before < 64 * 2**20
    assert inspect(strict_hub) == (200, "")


def test_an_inspector_killed_while_idle_costs_nobody_an_answer(strict_hub: HubServer) -> None:
    assert inspect(strict_hub) == (200, "")
    inspector = find_inspector(strict_hub)
    inspector.kill()
    wait_until(lambda: not inspector.is_running() or inspector.status() == psutil.STATUS_ZOMBIE, what="it has ended")
    assert inspect(strict_hub) == (200, "")


@pytest.mark.parametrize(("killer", "expected"), [(signal.SIGKILL, (200, "")), (signal.SIGABRT, (422, "inspection_failed"))])
def test_an_inspector_that_breaks_at_work_is_a_clear_error(
    strict_hub: HubServer, killer: signal.Signals, expected: tuple[int, str]
) -> None:
    assert inspect(strict_hub) == (200, "")
    inspector = find_inspector(strict_hub)
    inspector.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(inspect, strict_hub)
        time.sleep(0.5)
        inspector.send_signal(killer)
        with contextlib.suppress(psutil.NoSuchProcess):
            inspector.send_signal(signal.SIGCONT)
        assert waiting.result() == expected


def test_inspectors_know_no_settings_and_end_with_the_hub(strict_hub: HubServer) -> None:
    assert inspect(strict_hub) == (200, "")
    inspector = find_inspector(strict_hub)
    assert not [name for name in inspector.environ() if name.startswith("TRIPDECK_")]
    strict_hub.kill()
    wait_until(lambda: not inspector.is_running() or inspector.status() == psutil.STATUS_ZOMBIE, what="it has ended")
    strict_hub.restart()
