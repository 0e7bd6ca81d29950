"""The hub as the page's server talks to it: is it there, and orders for one load. Progress goes from the hub to the browser."""

from typing import Any, Final, Literal, cast

import urllib3

from shared.errors import ConflictError, NotFoundError, TerminalError, TransientError
from shared.settings import Settings

Order = Literal["cancel", "undo", "retry"]

# The hub answers from memory or one short transaction; a page must not hang on a stalled one.
_TIMEOUT: Final = urllib3.Timeout(connect=1, read=10)
_CHECK_TIMEOUT: Final = urllib3.Timeout(connect=0.5, read=1)


class Hub:
    """REST of the hub."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.api_url.rstrip("/")
        self._browser_url = settings.browser_api_url.rstrip("/")
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)

    def is_up(self) -> bool:
        """Ask whether the hub answers; a second at most."""
        try:
            return self._pool.request("GET", f"{self._url}/healthz", timeout=_CHECK_TIMEOUT).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def order(self, load_id: int, order: Order) -> dict[str, Any]:
        """Cancel, undo or retry a load; returns it as it stands then.

        Raises: ConflictError when its state does not allow it, NotFoundError, TransientError when the hub can't be reached.
        """
        try:
            answer = self._pool.request("POST", f"{self._url}/api/v1/loads/{load_id}/{order}")
        except urllib3.exceptions.HTTPError as error:
            raise TransientError("The hub can't be reached; nothing was changed.", code="hub_unavailable") from error
        return _read_answer(answer)

    def rejects_url(self, load_id: int) -> str:
        """Where a browser downloads a load's rejects as CSV."""
        return f"{self._browser_url}/api/v1/loads/{load_id}/rejects?format=csv"


def _read_answer(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        body = cast("dict[str, Any]", answer.json())
    except ValueError as error:
        raise TransientError(f"The hub answered {answer.status} without JSON.", code="hub_unavailable") from error
    if answer.status < 400:
        return body
    message = str(body.get("error", {}).get("message", f"The hub answered {answer.status}."))
    if answer.status == 404:
        raise NotFoundError(message)
    if answer.status == 409:
        raise ConflictError(message)
    if answer.status >= 500:
        raise TransientError(message, code="hub_unavailable")
    raise TerminalError(message)
