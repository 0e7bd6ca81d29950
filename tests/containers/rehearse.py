"""Bring docker-compose.yml up for real, use it, hurt it, take it down: `make test-containers`.

python -m tests.containers.rehearse [--stand-ins [--debian forky]] [--rows 1000000] [--workers 2] [--compare] [--keep]

Where no registry answers, or with --stand-ins, images of Debian's packages take the place of those of registries (standins.py).
A copy of this project runs, under a project name, ports and secrets of its own. Prints what it saw; exits 1 when something is
wrong.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from infra.embedded import find_free_ports
from loader.sample.generate import generate_trips
from tests.containers.compose import Compose
from tests.containers.local_stack import measure_local_stack
from tests.containers.rates import measure_rate, wait_for_load
from tests.containers.standins import OVERRIDE, RELEASE, make_stand_ins
from tests.shared_data import CHALLENGE_FILE, read_challenge_expected

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tripdeck-rehearsal"
IMAGES = "tests/containers/docker-compose.images.yml"
BUILT = ("tripdeck-rehearsal-loader", "tripdeck-rehearsal-ui")
STATEMENT_TIMEOUT_MS = 25_000
OURS = ("hub", "worker", "ui")
# Kernels that had to be compiled would take 15 s more; without, 3 s were measured. Time that passes says more of the machine.
START_CPU_S = 10.0
PROBE_S = 0.1
RESTING_MIB = 350
EVERYWHERE = "--bbox=-180,-90,180,90"
_SHOW = """
from shared.platform.settings import load_settings
from shared.services.database import connect_database
with connect_database(load_settings()).connect() as connection:
    print(*(connection.exec_driver_sql(f"show {name}").scalar_one() for name in ("statement_timeout", "timezone")))
"""


@dataclass
class Rehearsal:
    """A running project and what is asked of it."""

    compose: Compose
    ports: dict[str, int]
    workers: int
    rows: int
    file: Path

    def start(self) -> None:
        """Build, start, and see how long each process took after the database."""
        timed("build", lambda: self.compose.run("build", "--quiet"))
        timed("up, from empty volumes", lambda: self.compose.start(workers=self.workers))
        database = self.compose.read_started_at("pgbouncer")  # starts when the database is healthy
        for service in OURS:
            ready_s = (self.compose.read_healthy_at(service) - database).total_seconds()
            say(f"{service}: healthy {ready_s:.1f} s after the database")

    def inspect(self) -> None:
        """Processes at rest, probes, what must and must not be in the containers, and settings that arrive."""
        for service in OURS:
            for command, mib, cpu_s in self.compose.list_processes(service):
                say(f"{service}: {mib} MiB, {cpu_s:.1f} s of processor time  {command}")
                require(cpu_s <= START_CPU_S, f"{command} took {cpu_s} s of processor time to start")
                require(mib <= RESTING_MIB, f"{command} takes {mib} MiB")
            wall_s, cpu_s = self.compose.time_probe(service)
            say(f"{service}: a health check takes {wall_s * 1000:.0f} ms, {cpu_s * 1000:.0f} ms of processor time")
            require(cpu_s <= PROBE_S, f"the health check of {service} takes {cpu_s} s of processor time")
            compiled = self.compose.execute(service, "find", "/tmp", "-name", "*.nb?", "-type", "f").split()
            require(compiled == [], f"{service} has compiled kernels that its image should have")
            pip = self.compose.execute(service, "python", "-c", "import importlib.util as u; print(u.find_spec('pip'))").strip()
            require(pip == "None", f"{service} has pip")
        shown = self.compose.execute("hub", "python", "-c", _SHOW).split()
        require(shown == [f"{STATEMENT_TIMEOUT_MS // 1000}s", "UTC"], f"the hub's sessions have {shown}")
        say(f"settings of .env reach the database through PgBouncer: {shown}")

    def load_challenge(self) -> None:
        """Load the challenge's file with the README's line, and ask."""
        expected = read_challenge_expected()
        load = self.put(CHALLENGE_FILE)
        require(load["rows_loaded"] == expected["rows"], f"{load}")
        self.ask(expected["rows"])
        require(self.get("/api/v1/weekly-average", token="").status == 401, "the hub asks for no token")

    def load_many(self, *, seed: int, kill: bool = False) -> float:
        """Load a generated file; a worker may be killed while it runs. Returns rows per second."""
        generate_trips(self.file, rows=self.rows, seed=seed)
        before = self.count()
        load = json.loads(self.request("PUT", f"/api/v1/loads/{self.file.name}", body=self.file.read_bytes()).data)
        if kill:
            time.sleep(1)
            with suppress(subprocess.CalledProcessError):  # the container's end may be this command's, too
                self.compose.execute("worker", "sh", "-c", "kill -9 -1")
            say("killed every process of a worker's container")
        ended = wait_for_load(self.get, load["load_id"])
        require(ended["state"] == "succeeded", f"{ended}")
        require(self.count() - before == self.rows, f"{self.count() - before} trips instead of {self.rows}")
        say(f"{self.rows:,} rows: {measure_rate(ended):,.0f} rows/s{', a worker killed' if kill else ''}")
        if kill:
            require(self.compose.inspect("worker")["RestartCount"] > 0, "the killed worker was not started again")
        return measure_rate(ended)

    def restart(self) -> None:
        """Restart everything, then take it down and up again; trips stay."""
        trips = self.count()
        timed("restart", lambda: (self.compose.run("restart"), self.compose.start("--no-recreate", workers=self.workers)))
        self.ask(trips)
        timed("down", lambda: self.compose.run("down"))
        timed("up, from volumes that were kept", lambda: self.compose.start(workers=self.workers))
        self.ask(trips)

    def check(self) -> None:
        """Compare trips, ledger, rollups and events."""
        self.compose.execute("hub", "tripdeck", "check")
        say("tripdeck check finds nothing")

    def count(self) -> int:
        """Trips that there are."""
        answer = json.loads(self.compose.execute("hub", "tripdeck", "weekly", EVERYWHERE, "--json"))
        return int(answer["trips"])

    def ask(self, trips: int) -> None:
        """Ask the hub from outside; the web app must answer, too."""
        answer = json.loads(self.get("/api/v1/weekly-average?bbox=-180,-90,180,90").data)
        require(answer["trips"] == trips, f"{answer['trips']} trips instead of {trips}")
        page = urllib3.request("GET", f"http://127.0.0.1:{self.ports['TRIPDECK_UI_PORT']}/", retries=False)
        require(page.status == 200, f"the web app answers {page.status}")
        say(f"{trips:,} trips, {answer['weekly_average']:,} a week")

    def put(self, file: Path) -> dict[str, Any]:
        """Load a file and wait for its end."""
        answer = self.request("PUT", f"/api/v1/files/{file.name}?wait=true", body=file.read_bytes())
        require(answer.status == 200, f"the hub answers {answer.status}")
        document: dict[str, Any] = json.loads(answer.data)
        return document

    def get(self, path: str, *, token: str | None = None) -> urllib3.BaseHTTPResponse:
        """GET from the hub."""
        return self.request("GET", path, token=token)

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> urllib3.BaseHTTPResponse:
        """Ask the hub from outside, with a token that its container makes."""
        made = self.compose.execute("hub", "tripdeck", "token").strip() if token is None else token
        url = f"http://127.0.0.1:{self.ports['TRIPDECK_HUB_PORT']}{path}"
        headers = {"Authorization": f"Bearer {made}"} if made else {}
        return urllib3.request(method, url, headers=headers, retries=False, timeout=120, **options)


def main() -> None:
    """Rehearse; the exit status tells."""
    options = parse_arguments()
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        sys.exit("test-containers: docker with its plugin compose is needed, and a running engine.")
    with tempfile.TemporaryDirectory(prefix="tripdeck-rehearsal-") as folder:
        project = Path(folder) / "project"
        copy_project(project)
        file = Path(folder) / "generated.csv"
        rehearsal = prepare(project, file, options)
        try:
            rehearse(rehearsal, is_compared=options.compare)
        except BaseException:
            sys.stderr.write(rehearsal.compose.run("logs", "--tail=40", "--no-color"))
            raise
        finally:
            if not options.keep:
                timed("down, with volumes", lambda: rehearsal.compose.run("down", "--volumes", "--remove-orphans"))
                subprocess.run(["docker", "image", "rm", *BUILT], capture_output=True, check=False)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stand-ins", action="store_true", help="images of Debian's packages, whether a registry answers or not")
    parser.add_argument("--debian", default=RELEASE, metavar="RELEASE", help="whose Python stand-ins have; forky: 3.14")
    parser.add_argument("--compare", action="store_true", help="load the same file into the local stack, too")
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def copy_project(target: Path) -> None:
    """Copy what git knows or would add, as a clone under umask 077 has it."""
    listed = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
            (target / name).chmod(0o700 if os.access(ROOT / name, os.X_OK) else 0o600)


def prepare(project: Path, file: Path, options: argparse.Namespace) -> Rehearsal:
    """Make secrets, settings and images."""
    subprocess.run([sys.executable, str(project / "infra/make_secrets.py")], stdout=subprocess.DEVNULL, check=True)
    names = ("TRIPDECK_HUB_PORT", "TRIPDECK_UI_PORT", "STORE_PORT")
    ports = dict(zip(names, find_free_ports(len(names)), strict=True))
    settings = {**ports, "TRIPDECK_STATEMENT_TIMEOUT_MS": STATEMENT_TIMEOUT_MS}
    (project / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    files: tuple[str, ...] = ("docker-compose.yml", IMAGES)
    environment = {}
    wheels = CACHE / f"wheels-{options.debian}"
    if options.stand_ins or not can_pull():
        timed("stand-ins for the images of registries", lambda: make_stand_ins(wheels, options.debian))
        files, environment = (*files, OVERRIDE), {"WHEELS": str(wheels)}
    return Rehearsal(Compose(project, files, environment), ports, options.workers, options.rows, file)


def can_pull() -> bool:
    """Say whether the engine reaches the registry of an image that docker-compose.yml names."""
    command = ["docker", "pull", "--quiet", "redis:8.2.2-alpine"]
    try:
        return subprocess.run(command, capture_output=True, timeout=180, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def rehearse(rehearsal: Rehearsal, *, is_compared: bool) -> None:
    """Everything, in order."""
    rehearsal.start()
    rehearsal.inspect()
    rehearsal.load_challenge()
    before = rehearsal.load_many(seed=3)
    if is_compared:
        local = measure_local_stack(rehearsal.file.parent / "local", rehearsal.file)
        ratio = (before + rehearsal.load_many(seed=4)) / 2 / local
        say(f"{rehearsal.rows:,} rows in the local stack: {local:,.0f} rows/s; in containers {ratio:.2f} of it")
    rehearsal.load_many(seed=5, kill=True)
    rehearsal.restart()
    rehearsal.check()
    say("everything is as it should be")


def timed(what: str, action: Callable[[], object]) -> None:
    """Run an action and say how long it took."""
    began = time.monotonic()
    action()
    say(f"{what}: {time.monotonic() - began:.1f} s")


def require(is_right: bool, problem: str) -> None:
    """Raise AssertionError with the problem unless it is right."""
    if not is_right:
        raise AssertionError(problem)


def say(line: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
