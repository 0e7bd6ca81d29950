"""Log lines: one form for every process, text for people or JSON for collectors, with the action's facts as fields.

What callers or files put into a line can neither begin another nor steer a terminal.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from shared.platform.safe_text import escape_controls
from shared.platform.settings import Settings

_TAB: Final = "\t"
_PLAIN_FIELDS = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        facts = " ".join(f"{name}={value}" for name, value in _facts(record).items())
        line = super().formatMessage(record)
        return escape_controls(f"{line} [{facts}]" if facts else line)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - the base class's signature
        # Indented, so that no line of an error's text passes for a line of the log.
        return "\n".join(f"    {escape_controls(line, kept=_TAB)}" for line in super().formatException(ei).split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the base class's name
        return "\n".join(f"    {escape_controls(line, kept=_TAB)}" for line in stack_info.split("\n"))


def configure_logs(settings: Settings) -> None:
    """Send log lines of this process to standard error, in the form the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(make_formatter(settings.log_format))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel("WARNING")


def make_formatter(form: str) -> logging.Formatter:
    """The formatter of a form of log lines: text or json."""
    return _JsonFormatter() if form == "json" else _TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN_FIELDS}
