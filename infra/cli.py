"""The console script `tripdeck`: the commands that talk to the hub, and those that run the local stack.

tripdeck up          start everything, print the addresses, stop it all on Ctrl-C
tripdeck status      what runs, and where
tripdeck down        stop it from elsewhere
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loader.cli import app
from loader.cli.session import report_errors

if TYPE_CHECKING:
    from infra.state import StackState

# The servers' packages take a second to import, so each command imports what it needs.


@app.command(rich_help_panel="Local stack")
def up() -> None:
    """Start database, queue, store, worker, hub and web app here; stop them all on Ctrl-C."""
    from infra.stack import Stack
    from infra.state import hold_lock, read_running
    from shared.settings import load_settings

    settings = load_settings()
    data_dir = settings.data_dir.resolve()
    with hold_lock(data_dir) as is_ours:
        if is_ours:
            Stack(settings, report=_say).run()
            return
    state = read_running(data_dir)
    if state is None:
        _say(f"Tripdeck is being started or stopped over {data_dir} at this moment.")
        return
    _say(f"Tripdeck already runs (process {state.launcher.pid}{'' if state.is_ready else ', not ready yet'}).")
    _say(f"  Web app  {state.ui_url}")
    _say(f"  API      {state.api_url}/docs")
    _say("`make down` stops it.")


@app.command(rich_help_panel="Local stack")
def down() -> None:
    """Stop the local stack, wherever it was started."""
    from infra.embedded.program import ServerError
    from infra.state import read_running, stop_launcher

    state = read_running(_find_data_dir())
    if state is None:
        _say("Nothing runs here.")
    elif stop_launcher(state):
        _say("Stopped.")
    else:
        raise ServerError(f"Process {state.launcher.pid} did not stop; its logs are in {state.log_dir}.")


@app.command(rich_help_panel="Local stack")
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Say what runs, and where; exits 1 when nothing does."""
    from infra.state import read_running

    state = read_running(_find_data_dir())
    if as_json:
        sys.stdout.write(json.dumps(_describe(state)) + "\n")
    elif state is None:
        _say("Nothing runs here; `make up` starts it.")
    else:
        _print_status(state)
    if state is None:
        raise typer.Exit(1)


def main() -> None:
    """Run a command."""
    with report_errors():
        app()


def _find_data_dir() -> Path:
    from shared.settings import load_settings

    return load_settings().data_dir.resolve()


def _describe(state: "StackState | None") -> dict[str, object]:
    from dataclasses import asdict

    if state is None:
        return {"is_running": False, "is_ready": False}
    document = asdict(state)
    document.pop("environment")  # holds the secrets
    return {"is_running": True, **document}


def _print_status(state: "StackState") -> None:
    _say(f"{'Ready' if state.is_ready else 'Starting'}, run by process {state.launcher.pid}.")
    _say(f"  Web app  {state.ui_url}")
    _say(f"  API      {state.api_url}/docs")
    _say(f"  Logs     {state.log_dir}")
    for process in state.processes:
        line = f"  {process.name:<10} process {process.pid}"
        _say(
            line + (f", started again {process.restarts} times" if process.restarts else "")
            if process.find()
            else f"{line}, ended"
        )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
