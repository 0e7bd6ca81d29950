"""The hub as the page's server talks to it: is it there, and orders for one load. Progress goes from the hub to the browser."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import urllib3

from shared.platform.errors import ConflictError, NotFoundError, TerminalError, TransientError
from shared.platform.hub_tokens import Scope, make_token
from shared.platform.settings import Settings

Order = Literal["cancel", "undo", "retry"]
RejectForm = Literal["csv", "rows"]

# The hub answers from memory or one short transaction; a page must not hang on a stalled one.
_TIMEOUT: Final = urllib3.Timeout(connect=1, read=10)
_CHECK_TIMEOUT: Final = urllib3.Timeout(connect=0.5, read=1)
# What a page was handed is good for so long after its visitor has signed out or gone; an open page gets new ones in time.
TOKEN_LIFETIME_S: Final = 15 * 60


class Hub:
    """REST of the hub."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.api_url.rstrip("/")
        self._secret = settings.hub_secret.get_secret_value() if settings.hub_secret else None
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)
        self.browser_url = settings.browser_api_url.rstrip("/")

    def is_up(self) -> bool:
        """Ask whether the hub answers; a second at most."""
        try:
            return self._pool.request("GET", f"{self._url}/healthz", timeout=_CHECK_TIMEOUT).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def make_token(self, scope: Scope) -> str | None:
        """A token for the browser; None when the hub asks for none."""
        return make_token(self._secret, scope, lifetime_s=TOKEN_LIFETIME_S) if self._secret else None

    def order(self, load_id: int, order: Order, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Cancel, undo or retry a load; returns it as it stands then. options: with which it is tried again.

        Raises: ConflictError when its state does not allow it, NotFoundError, TransientError when the hub can't be reached.
        """
        body = json.dumps({"options": dict(options)}).encode() if options else None
        return _read_answer(self._request("POST", f"/api/v1/loads/{load_id}/{order}", body))

    def publish(self, load_id: int) -> dict[str, Any]:
        """Have a load published as files in the object store; returns its publication. Raises: as order."""
        return _read_answer(self._request("POST", f"/api/v1/loads/{load_id}/publication"))

    def add_source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have an address watched; returns the source. Raises: TerminalError for an address that may not be read; as order."""
        return _read_answer(self._request("POST", "/api/v1/sources", json.dumps(dict(body)).encode()))

    def order_source(self, source_id: int, order: str) -> None:
        """Pause, resume, run, retry or remove a source. Raises: as order."""
        path = f"/api/v1/sources/{source_id}"
        answer = self._request("DELETE", path) if order == "remove" else self._request("POST", f"{path}/{order}")
        if answer.status >= 400:
            _read_answer(answer)

    def fetch_rejects(self, load_id: int, form: RejectForm) -> bytes:
        """All rejects of a load. Raises: as order."""
        answer = self._request("GET", f"/api/v1/loads/{load_id}/rejects?format={form}")
        if answer.status >= 400:
            _read_answer(answer)
        return answer.data

    def rejects_url(self, load_id: int, form: RejectForm) -> str | None:
        """Where a browser downloads a load's rejects by itself; None when it would need a token."""
        return None if self._secret else f"{self.browser_url}/api/v1/loads/{load_id}/rejects?format={form}"

    def _request(self, method: str, path: str, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        token = self.make_token("write")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return self._pool.request(method, f"{self._url}{path}", headers=headers, body=body)
        except urllib3.exceptions.HTTPError as error:
            raise TransientError("The hub can't be reached; nothing was changed.", code="hub_unavailable") from error


def _read_answer(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        body = cast("dict[str, Any]", answer.json())
    except ValueError as error:
        raise TransientError(f"The hub answered {answer.status} without JSON.", code="hub_unavailable") from error
    if answer.status < 400:
        return body
    message = str(body.get("detail", f"The hub answered {answer.status}."))
    if answer.status == 404:
        raise NotFoundError(message)
    if answer.status == 409:
        raise ConflictError(message)
    if answer.status >= 500:
        raise TransientError(message, code="hub_unavailable")
    raise TerminalError(message)
