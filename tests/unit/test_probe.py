"""Health checks of containers: they ask what is in their own container, and import next to nothing."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from infra import probe
from infra.probe import UnwellError, check_heartbeats, check_hub, check_ui, check_worker
from loader.worker.heartbeat import Heartbeat
from tests.loading import wait_until

LONG_AGO = 1_000_000_000
NOBODY = 2**22 + 1  # above the largest process id that Linux gives


class Answers(BaseHTTPRequestHandler):
    """Well at the web app's path, unwell at the hub's."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/_stcore/health" else 503)
        self.end_headers()
        self.wfile.write(b'{"missing": ["redis"]}')

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def test_an_answer_of_200_is_well_and_another_says_why_not(port: str) -> None:
    check_ui({"TRIPDECK_UI_PORT": port, "TRIPDECK_UI_HOST": "0.0.0.0"})
    with pytest.raises(UnwellError, match=r"503.*redis"):
        check_hub({"TRIPDECK_HUB_PORT": port})


def test_nobody_who_listens_is_unwell() -> None:
    with pytest.raises(OSError, match="refused"):
        check_hub({"TRIPDECK_HUB_PORT": "1"})


@pytest.mark.parametrize("environment", [{}, {"TRIPDECK_HUB_PORT": "tcp://10.0.0.1:8600"}])
def test_the_command_exits_1_with_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    what = "hub" if environment else "worker"
    command = [sys.executable, "-m", "infra.probe", what]
    paths = {"PYTHONPATH": str(Path(probe.__file__).parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment | paths, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"{what}: ")


def test_it_imports_no_package_but_its_own() -> None:
    code = "import infra.probe, sys; print(len(sys.modules), 'pydantic' in sys.modules, 'urllib' in sys.modules)"
    printed = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(printed[0]) < 120
    assert printed[1:] == ["False", "False"]


def test_a_worker_is_well_while_it_asks_every_queue(tmp_path: Path) -> None:
    environment = {"TRIPDECK_DATA_DIR": str(tmp_path)}
    with pytest.raises(UnwellError, match="No worker process"):
        check_worker(environment)
    heartbeat = Heartbeat(tmp_path)
    for queue in ("plan", "load"):
        heartbeat.beat(queue)
    check_worker(environment)
    os.utime(tmp_path / "workers" / f"{os.getpid()}-plan", (LONG_AGO, LONG_AGO))
    with pytest.raises(UnwellError, match="queue plan"):
        check_worker(environment)
    heartbeat.remove()
    with pytest.raises(UnwellError, match="No worker process"):
        check_worker(environment)


def test_files_of_dead_processes_neither_count_nor_stay(tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    folder.mkdir()
    (folder / f"{NOBODY}-load").touch()
    with pytest.raises(UnwellError, match="No worker process"):
        check_heartbeats(str(tmp_path), since=time.time() - 30)
    Heartbeat(tmp_path).beat("load")
    assert [path.name for path in folder.iterdir()] == [f"{os.getpid()}-load"]


def test_a_zombie_does_not_count(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, what="it has ended")
        (tmp_path / "workers").mkdir()
        (tmp_path / "workers" / f"{child.pid}-load").touch()
        with pytest.raises(UnwellError, match="No worker process"):
            check_heartbeats(str(tmp_path), since=0)


def test_a_folder_that_can_t_be_made_is_the_health_check_s_to_tell(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Heartbeat(tmp_path / "file").beat("load")
    with pytest.raises(UnwellError):
        check_heartbeats(str(tmp_path / "file"), since=0)
