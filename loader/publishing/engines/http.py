"""HTTP to an engine: what is away is a TransientError, what is refused is told with the engine's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import urllib3

from shared.platform.errors import TerminalError, TransientError
from shared.platform.settings import Settings

_TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
_SHOWN_CHARACTERS: Final = 500


@dataclass(frozen=True)
class EngineResponse:
    """An answer: status, and the body as text."""

    status: int
    text: str


class EngineClient:
    """Requests to one engine."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.engine_url.rstrip("/")
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
        password = settings.engine_password.get_secret_value() if settings.engine_password else ""
        user = settings.engine_user
        self._headers = urllib3.make_headers(basic_auth=f"{user}:{password}") if user else {}

    def request(
        self, method: str, path: str, *, body: str | None = None, json: object = None, params: Mapping[str, str] | None = None
    ) -> EngineResponse:
        """Send a request. Raises: TransientError when nothing answers, or the engine is overloaded or starting."""
        query = f"?{'&'.join(f'{name}={value}' for name, value in params.items())}" if params else ""
        try:
            answer = self._pool.request(
                method,
                f"{self._url}{path}{query}",
                body=body.encode() if body is not None else None,
                json=json,
                headers=dict(self._headers) | ({"Content-Type": "application/json"} if json is not None else {}),
            )
        except urllib3.exceptions.HTTPError as error:
            raise TransientError(
                f"The engine at {self._url} can't be reached: {type(error).__name__}.", code="engine_unavailable"
            ) from error
        response = EngineResponse(answer.status, answer.data.decode(errors="replace"))
        if response.status in (429, 502, 503, 504):
            raise TransientError(f"The engine refuses for now: status {response.status}.", code="engine_unavailable")
        return response


def refuse(response: EngineResponse) -> TerminalError:
    """Make the error of an answer that is a refusal."""
    said = " ".join(response.text.split())[:_SHOWN_CHARACTERS]
    return TerminalError(f"The engine refuses with status {response.status}: {said}", code="engine_refuses")
