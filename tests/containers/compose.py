"""A Compose project for tests: commands, health, and what its processes cost."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

# Run inside a container: name, resident memory and processor time of each process, this one left out.
_LIST_PROCESSES = """
import glob, json, os
found = []
for folder in glob.glob("/proc/[0-9]*"):
    try:
        command = open(folder + "/cmdline").read().replace("\\0", " ").strip()
        rss = [int(line.split()[1]) // 1024 for line in open(folder + "/status") if line.startswith("VmRSS")]
        fields = open(folder + "/stat").read().rpartition(")")[2].split()
    except OSError:
        continue
    if rss and int(folder[6:]) != os.getpid():
        found.append([command[:100], rss[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")])
print(json.dumps(found))
"""
_TIME_PROBE = """
import json, resource, subprocess, sys, time
began = time.monotonic()
for _ in range(5):
    subprocess.run([sys.executable, "-m", "infra.probe", sys.argv[1]], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([round((time.monotonic() - began) / 5, 3), round((used.ru_utime + used.ru_stime) / 5, 3)]))
"""


@dataclass
class Compose:
    """Files of a project in a folder of its own, under a project name of its own."""

    folder: Path
    files: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    project: str = "tripdeck-rehearsal"

    def run(self, *arguments: str, data: bytes | None = None) -> str:
        """Run docker compose; returns its standard output. Raises: CalledProcessError."""
        files = [f"--file={name}" for name in self.files]
        command = ["docker", "compose", "--project-name", self.project, "--progress=quiet", *files, *arguments]
        done = subprocess.run(command, cwd=self.folder, env={**os.environ, **self.environment}, input=data, stdout=-1, check=True)
        return done.stdout.decode()

    def execute(self, service: str, *command: str, index: int = 1, data: bytes | None = None) -> str:
        """Run a command in a service's container."""
        return self.run("exec", "-T", f"--index={index}", service, *command, data=data or b"")

    def start(self, *options: str, workers: int) -> None:
        """Bring everything up and wait until it is healthy."""
        self.run("up", "--wait", "--wait-timeout=600", "--quiet-pull", f"--scale=worker={workers}", *options)

    def inspect(self, service: str, index: int = 1) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        name = f"{self.project}-{service}-{index}"
        found: list[dict[str, Any]] = json.loads(subprocess.run(["docker", "inspect", name], stdout=-1, check=True).stdout)
        return found[0]

    def read_started_at(self, service: str) -> datetime:
        return parse_time(self.inspect(service)["State"]["StartedAt"])

    def read_healthy_at(self, service: str) -> datetime:
        """When the first of the checks that the engine remembers (five) succeeded."""
        checks = self.inspect(service)["State"]["Health"]["Log"]
        return min(parse_time(check["End"]) for check in checks if check["ExitCode"] == 0)

    def list_processes(self, service: str) -> list[tuple[str, int, float]]:
        """(command, resident MiB, processor seconds) of each process of a service's container."""
        return [
            (command, mib, cpu_s) for command, mib, cpu_s in json.loads(self.execute(service, "python", "-c", _LIST_PROCESSES))
        ]

    def time_probe(self, service: str) -> tuple[float, float]:
        """(seconds, processor seconds) of a health check, the mean of five."""
        wall_s, cpu_s = json.loads(self.execute(service, "python", "-c", _TIME_PROBE, service))
        return wall_s, cpu_s


def parse_time(text: str) -> datetime:
    """Read a time of the engine in UTC: RFC 3339, or as Go prints it."""
    day, clock = text.replace("T", " ").split(" ")[:2]
    seconds = clock.rstrip("Z").split("+")[0]
    return datetime.fromisoformat(f"{day}T{seconds[:15]}+00:00")
