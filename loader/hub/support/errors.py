"""One table from error class to status code, and the problem (RFC 9457) that every error becomes."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError
from tornado.web import HTTPError

from shared.platform.errors import (
    QUESTION_FACTS,
    ConflictError,
    FileFormatError,
    NotFoundError,
    RequestError,
    TerminalError,
    TransientError,
    TripdeckError,
)
from shared.platform.hub_tokens import ForbiddenError, UnauthorizedError
from shared.small_counts import TooFewTripsError


class KeyReusedError(TerminalError):
    """Another request under the same key."""

    code = "idempotency_key_reused"


class KeyTakenError(TerminalError):
    """The same request has made its load in the meantime."""

    code = "idempotency_key_taken"

    def __init__(self, load_id: int) -> None:
        super().__init__(f"The request has made load {load_id}.", load_id=load_id)
        self.load_id = load_id


class TooLargeError(TerminalError):
    """More bytes than the hub accepts."""

    code = "too_large"


class TooSlowError(TerminalError):
    """A client that sends its request too slowly."""

    code = "too_slow"


# The first class that fits counts.
_STATUS_OF: Final = (
    (RequestError, HTTPStatus.BAD_REQUEST),
    (UnauthorizedError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (TooFewTripsError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (TooSlowError, HTTPStatus.REQUEST_TIMEOUT),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (KeyReusedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FileFormatError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
)
# What an error says beside its code and message.
PROBLEM_MEDIA: Final = "application/problem+json"
_CODE_OF: Final = {403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


def status_of(error: BaseException) -> int:
    """Return the status code of an error; 500 for an unexpected one."""
    if isinstance(error, HTTPError):
        return error.status_code
    return next((int(status) for kind, status in _STATUS_OF if isinstance(error, kind)), 500)


def make_problem(error: BaseException) -> dict[str, Any]:
    """The problem that answers an error: code and, where one is to blame, the parameter; choices where it is a question."""
    status = status_of(error)
    if isinstance(error, HTTPError):
        return _make(status, _CODE_OF.get(status, "bad_request"), error.log_message or HTTPStatus(status).phrase)
    if isinstance(error, TripdeckError) and status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return _make(status, error.error_code, error.message, **{name: error.facts.get(name) for name in QUESTION_FACTS})
    return _make(status, "internal", "The hub failed at this; its log says why.")


def translate_validation(error: ValidationError) -> RequestError:
    """Return a RequestError that names the first invalid parameter and the reason."""
    first = error.errors(include_url=False)[0]
    parameter = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return RequestError(f"There is no parameter {parameter!r} here.", parameter=parameter)
    if first["type"] == "missing":
        return RequestError(f"{parameter} is missing.", parameter=parameter)
    reason = str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else first["msg"].replace("Input should", "it should")
    return RequestError(f"{parameter or 'The body'}: {reason}", parameter=parameter or None)


def _make(status: int, code: str, detail: str, **facts: object) -> dict[str, Any]:
    title = code.replace("_", " ").capitalize()
    problem = {"type": f"urn:tripdeck:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    return problem | {name: fact for name, fact in facts.items() if fact}
