"""What every command needs: the hub it talks to, and errors as one line and an exit status.

Exit status: 0 done, 1 it failed, 2 wrong usage, 130 interrupted.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from shared.platform.errors import QUESTION_FACTS, NotFoundError, RequestError, SettingsError, TripdeckError
from shared.platform.local_stacks import STACK_FILE, list_stacks
from shared.platform.safe_text import escape_controls, escape_json

if TYPE_CHECKING:
    from loader.cli.client import HubClient
    from shared.platform.settings import Settings

FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
# What an error says beside its code and message.
_TOKEN_LIFETIME_S: Final = 86_400.0


def connect_hub() -> "HubClient":
    """The hub of TRIPDECK_API_URL, else of the local stack that runs, else the default; close it after use.

    Raises: SettingsError.
    """
    from loader.cli.client import HubClient
    from shared.platform.settings import load_settings

    settings = load_settings()
    return HubClient(find_api_url(settings), token=_find_token(settings))


def find_api_url(settings: "Settings") -> str:
    """Where the hub is: a setting that was given comes before the note the local stack leaves."""
    noted = None if "api_url" in settings.model_fields_set else _read_note(settings).get("api_url")
    return noted if isinstance(noted, str) else settings.api_url


def find_database() -> "Settings":
    """Settings with the database that was given, else with that of the local stack of this folder. Raises: SettingsError."""
    from shared.platform.settings import PREFIX, load_settings

    settings = load_settings()
    noted = _read_note(settings).get("environment")
    url = noted.get(f"{PREFIX}DATABASE_URL") if isinstance(noted, dict) else None
    return load_settings(database_url=url) if url and "database_url" not in settings.model_fields_set else settings


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Print one JSON document on standard output; what a terminal would obey is escaped there, too."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, ensure_ascii=not is_unicode, indent=2)
    typer.echo(escape_json(text))


def print_error(message: str) -> None:
    """Print one line on standard error."""
    typer.echo(f"tripdeck: {escape_controls(message)}", err=True)


@contextmanager
def report_errors(*, is_json: bool = False) -> Iterator[None]:
    """Turn our errors into one line on standard error (and a JSON document, where one was asked for) and an exit status."""
    try:
        yield
    except TripdeckError as error:
        if is_json:
            print_json({"error": make_error_json(error)})
        print_error(error.message)
        raise SystemExit(exit_status(error)) from error
    except KeyboardInterrupt as error:
        print_error("Interrupted.")
        raise SystemExit(INTERRUPTED) from error


def make_error_json(error: TripdeckError) -> dict[str, Any]:
    """The error as the hub words it: code, message and, where one is to blame, the parameter; choices where it is a question."""
    facts = {name: error.facts[name] for name in QUESTION_FACTS if error.facts.get(name)}
    return {"code": error.error_code, "message": error.message, **facts}


def exit_status(error: TripdeckError) -> int:
    """2 where another command line would help, 1 otherwise."""
    return WRONG_USAGE if isinstance(error, (RequestError, NotFoundError, SettingsError)) else FAILED


def _read_note(settings: "Settings") -> dict[str, Any]:
    """What the local stack has noted of itself, when it has: the one of this folder, else the only one that runs."""
    folders = [Path(settings.data_dir)]
    if "data_dir" not in settings.model_fields_set and len(others := list_stacks()) == 1:
        folders += others
    for folder in folders:
        with suppress(OSError, ValueError):
            noted = json.loads((folder / STACK_FILE).read_text(encoding="utf-8"))
            if isinstance(noted, dict):
                return noted
    return {}


def _find_token(settings: "Settings") -> str | None:
    if settings.api_token:
        return settings.api_token.get_secret_value()
    if settings.hub_secret:
        from shared.platform.hub_tokens import make_token

        return make_token(settings.hub_secret.get_secret_value(), "write", lifetime_s=_TOKEN_LIFETIME_S)
    return None
