"""Errors: one base, then what a person must settle and what passes by itself.

Every error has a stable code (for programs), a message that says what happened and what to do (for people) and facts
(ids, places) as keyword attributes.
"""

from typing import ClassVar, Final

# What an error says about a question, beside its code and message. statement: the message without the words of a command
# line; roles: the columns that are known, by their index.
QUESTION_FACTS: Final = ("parameter", "choices", "columns", "statement", "roles")


class TripdeckError(Exception):
    """Base of every error Tripdeck raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, code: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        self.error_code = code or type(self).code


class TerminalError(TripdeckError):
    """A person must act; trying again gives the same."""

    code = "terminal"


class TransientError(TripdeckError):
    """Passes by itself; tried again with backoff."""

    code = "unavailable"


class SettingsError(TerminalError):
    """A setting is missing, unknown or unusable."""

    code = "bad_settings"


class RequestError(TerminalError):
    """A question or command that makes no sense; parameter names what to change."""

    code = "bad_request"

    def __init__(self, message: str, *, parameter: str | None = None) -> None:
        super().__init__(message, parameter=parameter)
        self.parameter = parameter


class NotFoundError(TerminalError):
    """No such load, upload or question."""

    code = "not_found"


class ConflictError(TerminalError):
    """The load's state does not allow this."""

    code = "conflict"


class FileFormatError(TerminalError):
    """The file can't be read as trips; code and message say why."""

    code = "bad_file"
