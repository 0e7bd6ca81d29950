"""The command line for tests: in this process against a real hub, or as a process of its own.

answer = CommandLine(settings).run("weekly", "--region", "Turin", "--json")
answer.status, answer.json["weekly_average"]
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from infra.cli import app
from infra.environment import make_environment
from loader.sample.generate import generate_trips
from shared.platform.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class CommandAnswer:
    """What a command printed, and its exit status."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.output)


@dataclass(frozen=True)
class CommandLine:
    """`tripdeck` with the settings of a test."""

    settings: Settings

    def run(self, *arguments: str, **environment: str | None) -> CommandAnswer:
        """Run a command in this process."""
        unset = {name: None for name in os.environ if name.startswith(PREFIX)}
        result = CliRunner().invoke(app, list(arguments), env=unset | self._environment() | environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandAnswer(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
        """Start a command as a process; its output is piped unless streams say otherwise."""
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        environment = make_environment(self.settings)
        return subprocess.Popen([sys.executable, "-m", "infra.cli", *arguments], cwd=ROOT, env=environment, **pipes)

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in make_environment(self.settings).items() if name.startswith(PREFIX)}


def finish(process: "subprocess.Popen[bytes]", data: bytes | None = None) -> CommandAnswer:
    """Wait for a process; data goes to its standard input."""
    output, errors = process.communicate(data, timeout=120)
    return CommandAnswer(process.returncode, output.decode(), errors.decode())


def make_file(folder: Path, *, seed: int, rows: int = 50) -> Path:
    """A trip file of its own bytes."""
    path = folder / f"trips-{seed}.csv"
    generate_trips(path, rows=rows, seed=seed)
    return path


def assert_question(answer: CommandAnswer, *words: str) -> None:
    """A question is one line on standard error, then a command for each answer."""
    first, second, *commands = answer.errors.splitlines()
    assert_one_line(replace(answer, errors=f"{first}\n"), 1, *words)
    assert second == "Run one of these:"
    assert len(commands) > 1
    assert all(command.startswith("  tripdeck ") for command in commands)


def assert_one_line(answer: CommandAnswer, status: int, *words: str) -> None:
    """An error is one line on standard error that says what happened."""
    assert answer.status == status, answer
    assert answer.errors.count("\n") == 1, answer
    assert answer.errors.startswith("tripdeck: ")
    for word in words:
        assert word in answer.errors, answer
