"""The console script `tripdeck`: the commands that talk to the hub, and those that run the local stack.

tripdeck up          start everything, print the addresses, stop it all on Ctrl-C
tripdeck status      what runs, and where; from any folder
tripdeck down        stop it; from any folder
"""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from infra.bench.command import bench
from loader.cli import app
from loader.cli.session import report_errors

if TYPE_CHECKING:
    from infra.state import StackState

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


app.add_typer(bench, name="bench")


@app.command()
def up() -> None:
    """Start database, queue, store, worker, hub and web app here; stop them all on Ctrl-C."""
    from infra.stack import Stack
    from infra.state import hold_lock, read_running
    from shared.platform.settings import load_settings

    with report_errors():
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
        _print_addresses(state)
        _say("`make down` stops it.")


@app.command()
def down() -> None:
    """Stop the local stack, wherever it was started."""
    from infra.embedded import ServerError
    from infra.state import stop_launcher

    with report_errors():
        state = _read_running()
        if state is None:
            _say("Nothing runs.")
        elif stop_launcher(state):
            _say("Stopped.")
        else:
            raise ServerError(f"Process {state.launcher.pid} did not stop; its logs are in {state.log_dir}.")


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """Say what runs, and where; exits 1 when nothing does."""
    with report_errors(is_json=as_json):
        state = _read_running()
        if as_json:
            _say(json.dumps(_describe(state), indent=2))
        elif state is None:
            _say("Nothing runs; `make up` or `tripdeck up` starts it.")
        else:
            _print_status(state)
    if state is None:
        raise typer.Exit(1)


def main() -> None:
    """Run a command; the console script tripdeck."""
    app()


def _read_running() -> "StackState | None":
    from infra.state import find_running
    from shared.platform.settings import load_settings

    return find_running(load_settings())


def _describe(state: "StackState | None") -> dict[str, object]:
    from dataclasses import asdict

    if state is None:
        return {"is_running": False, "is_ready": False}
    document = asdict(state)
    document.pop("environment")  # holds the secrets
    return {"is_running": True, **document}


def _print_status(state: "StackState") -> None:
    _say(f"{'Ready' if state.is_ready else 'Starting'}, run by process {state.launcher.pid}.")
    _print_addresses(state)
    for process in state.processes:
        line = f"  {process.name:<10} process {process.pid}"
        _say(
            line + (f", started again {process.restarts} times" if process.restarts else "")
            if process.find()
            else f"{line}, ended"
        )


def _print_addresses(state: "StackState") -> None:
    _say(f"  Web app  {state.ui_url}")
    _say(f"  API      {state.api_url}/docs")
    _say(f"  Logs     {state.log_dir}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
