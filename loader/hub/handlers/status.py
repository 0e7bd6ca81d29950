"""The process itself: alive, ready, figures, the API's description."""

import asyncio
import contextlib
from collections.abc import Awaitable
from importlib.metadata import version

from sqlalchemy import Engine, text

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import NoParams
from loader.hub.api.responses import HealthResponse, ReadyResponse, ServiceState
from loader.hub.support.metrics import CONTENT_TYPE
from shared.platform.errors import TransientError, TripdeckError
from shared.services.database import transaction

_CHECK_TIMEOUT_S = 5.0
# Below the 10 s after which Prometheus gives a scrape up.
_BACKLOG_TIMEOUT_S = 3.0


class HealthHandler(ApiHandler):
    """Whether the process is alive: GET /healthz."""

    @Operation("The process is alive", id="check_health", response=HealthResponse, scope=None)
    async def get(self, params: NoParams) -> None:
        """Answer at once; no service is queried."""
        self.respond(HealthResponse(status="ok", version=version("tripdeck")))


class ReadyHandler(ApiHandler):
    """Whether every service and duty is up: GET /readyz."""

    @Operation(
        "What the hub needs to serve is there (503 when not)",
        id="check_readiness",
        also={503: "Something is missing; services says what."},
        response=ReadyResponse,
        scope=None,
    )
    async def get(self, params: NoParams) -> None:
        """Respond with every service's state."""
        services = self.services
        checks = {
            "database": services.executors.records.run(_ask_database, services.engine),
            "redis": services.feed.history.check(),
            "store": services.executors.transfers.run(services.store.check),
            "feed": services.feed.duty.check(),
            "publisher": services.publisher.duty.check(),
        }
        if services.reader is not services.engine:
            checks["read_database"] = services.executors.questions.run(_ask_database, services.reader)
        found = await asyncio.gather(*(self._check(check) for check in checks.values()))
        states = dict(zip(checks, found, strict=True))
        is_ready = all(state.is_ready for state in states.values()) and not services.drain.is_set()
        self.respond(ReadyResponse(is_ready=is_ready, services=states), status=200 if is_ready else 503)

    async def _check(self, question: Awaitable[None]) -> ServiceState:
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT_S):
                await question
        except TimeoutError:
            return ServiceState(is_ready=False, reason="It doesn't answer.")
        except TripdeckError as error:
            # Messages name addresses; where callers need tokens, this open path tells the code only.
            return ServiceState(is_ready=False, reason=error.error_code if self.services.access.secret else error.message)
        return ServiceState(is_ready=True, reason=None)


def _ask_database(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("select 1 from event_position"))


class MetricsHandler(ApiHandler):
    """Metrics in the text format of Prometheus: GET /metrics."""

    @Operation("Figures for Prometheus", id="get_metrics", media=("text/plain",), scope=None)
    async def get(self, params: NoParams) -> None:
        """Answer in Prometheus' text form; without the backlog while the database is away."""
        services = self.services
        with contextlib.suppress(TransientError, TimeoutError):
            async with asyncio.timeout(_BACKLOG_TIMEOUT_S):
                await services.executors.records.run(services.backlog.read)
        if services.backlog.newest is not None and services.feed.position is not None:
            services.metrics.feed_lag.set(max(0, services.backlog.newest.event_position - services.feed.position))
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(services.metrics.render())


class OpenApiHandler(ApiHandler):
    """The OpenAPI document: GET /openapi.json."""

    @Operation("This description (OpenAPI 3.1)", id="get_openapi", media=("application/json",), scope=None)
    async def get(self, params: NoParams) -> None:
        """Respond with the document."""
        self.respond(self.application.settings["openapi"])


class DocsHandler(ApiHandler):
    """The OpenAPI document as a page: GET /docs."""

    @Operation("The description for reading", id="get_docs", media=("text/html",), scope=None)
    async def get(self, params: NoParams) -> None:
        """Respond with one page that asks for nothing else."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.write(self.application.settings["docs_page"])
