"""Where local stacks of this user run, so that commands find theirs from any folder.

`up` adds its data folder to a list in the user's state folder ($XDG_STATE_HOME, else ~/.local/state), and takes it away at its
end. A stack is what its folder's stack.json says; the list only helps to find it, and nothing fails where it can't be kept.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

STACK_FILE: Final = "stack.json"
_LIST_FILE: Final = Path("tripdeck", "stacks.json")


def add_stack(data_dir: Path) -> None:
    """Add a data folder to the list."""
    _write([*(entry for entry in _read() if entry["data_dir"] != str(data_dir)), _make_entry(data_dir)])


def remove_stack(data_dir: Path) -> None:
    """Take a data folder off the list."""
    _write([entry for entry in _read() if entry["data_dir"] != str(data_dir)])


def list_stacks() -> list[Path]:
    """Data folders whose launcher lives: those of this installation, or where it has none, of all."""
    running = [entry for entry in _read() if _is_alive(Path(entry["data_dir"]))]
    own = [entry for entry in running if entry["prefix"] == sys.prefix]
    return [Path(entry["data_dir"]) for entry in own or running]


def _make_entry(data_dir: Path) -> dict[str, str]:
    return {"data_dir": str(data_dir), "prefix": sys.prefix}


def _find_list() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / _LIST_FILE


def _read() -> list[dict[str, str]]:
    found: Any = []
    with suppress(OSError, ValueError, RuntimeError):  # RuntimeError: no home folder
        found = json.loads(_find_list().read_text(encoding="utf-8"))
    return [entry for entry in found if _is_entry(entry)] if isinstance(found, list) else []


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict) and set(entry) == {"data_dir", "prefix"} and all(isinstance(text, str) for text in entry.values())
    )


def _write(entries: list[dict[str, str]]) -> None:
    with suppress(OSError, RuntimeError):
        path = _find_list()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps([entry for entry in entries if Path(entry["data_dir"]).is_dir()], indent=1), encoding="utf-8")
        draft.replace(path)


def _is_alive(data_dir: Path) -> bool:
    try:
        launcher: int = json.loads((data_dir / STACK_FILE).read_text(encoding="utf-8"))["launcher"]["pid"]
        os.kill(launcher, 0)
    except PermissionError:
        return (data_dir / STACK_FILE).exists()
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True
