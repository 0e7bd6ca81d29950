"""The hub's process: builds everything, listens, and leaves without breaking off what it has begun.

TRIPDECK_HUB_PORT=8600 tripdeck-hub
"""

import asyncio
import logging
import os
import resource
import signal
import sys
from typing import Final

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from loader.hub.application import make_application
from loader.hub.connections import make_server
from loader.hub.feed.history import History
from loader.hub.feed.publisher import Publisher
from loader.hub.feed.tail import Feed
from loader.hub.feed.unread_bytes import UnreadResponses
from loader.hub.inspection.pool import Inspections
from loader.hub.services import Executors, Services
from loader.hub.support.access import Access
from loader.hub.support.backlog_log import log_backlog
from loader.hub.support.executors import BoundedExecutor
from loader.hub.support.imports import import_slow
from loader.hub.support.metrics import Metrics
from loader.hub.support.upload_gate import UploadGate
from loader.telemetry.backlog import BacklogReader
from loader.webhooks.addresses import PrivateHosts
from shared.index.snapshot import cache_index, get_block_cache
from shared.platform.errors import SettingsError, TripdeckError
from shared.platform.logs import configure_logs
from shared.platform.memory import give_back_code, give_back_free, keep_lasting
from shared.platform.settings import Settings, load_settings
from shared.platform.tracing import make_tracing
from shared.questions.analyst_sql import connect_analyst
from shared.services.database import connect_database, connect_reader
from shared.services.objects import ObjectStore
from shared.services.queueing import connect_broker
from shared.services.redis_client import connect_redis

LOG = logging.getLogger(__name__)

_READ_BYTES: Final = 256 * 2**10
_MAX_HEADER_BYTES: Final = 32 * 2**10
# Of what takes no body at all, as a handshake; every other handler counts its own.
_MAX_BODY_BYTES: Final = 64 * 2**10
# Connections to the services, and the spare ones; see connections.py.
_OTHER_FILES: Final = 400
_DRAIN_S: Final = 20.0
_TRANSFER_THREADS: Final = 8
# As many as connect_analyst has connections.
_ANALYST_THREADS: Final = 2


def main() -> None:
    """Run the hub until SIGTERM or SIGINT; the console script tripdeck-hub."""
    try:
        settings = load_settings()
        configure_logs(settings)
        asyncio.run(run_hub(settings))
    except TripdeckError as error:
        sys.exit(f"tripdeck-hub: {error.message}")


async def run_hub(settings: Settings) -> None:
    """Serve until a signal asks to stop. Raises: SettingsError when the hub may not or can't listen."""
    services = make_services(settings)
    server = make_server(
        make_application(services),
        lambda: len(services.feed_clients),
        limit=_limit_connections(settings),
        refused=services.metrics.refused_connections,
        chunk_size=_READ_BYTES,
        max_header_size=_MAX_HEADER_BYTES,
        idle_connection_timeout=settings.hub_idle_timeout_s,
        max_body_size=_MAX_BODY_BYTES,
        body_timeout=settings.hub_body_timeout_s,
    )
    _listen(server, settings)
    background = [services.tasks.start(work) for work in (services.feed.run(), services.publisher.run(), _warm_up(services))]
    if settings.log_format == "json":
        background.append(services.tasks.start(log_backlog(services.backlog, services.executors.records)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, services.drain.set)
    LOG.info("the hub listens", extra={"host": settings.hub_host, "port": settings.hub_port})
    await services.drain.wait()
    await _drain(server, services, background)


def make_services(settings: Settings) -> Services:
    """Return the services of the hub; connections open at first use. Raises: SettingsError."""
    access = Access(settings)
    PrivateHosts.parse(settings.webhook_private_hosts)  # an entry that can't be read is said at the start
    tracing = make_tracing("tripdeck-hub", os.environ)
    cache_mib = settings.block_cache_mib
    engine = cache_index(connect_database(settings), mib=cache_mib)
    reader = cache_index(connect_reader(settings), mib=cache_mib) if settings.read_database_url else engine
    metrics = Metrics()
    metrics.export_caches([get_block_cache(each) for each in {engine, reader}])
    backlog = BacklogReader(engine, connect_redis(settings), lease_s=settings.batch_lease_s)
    metrics.export_backlog(backlog)
    threads = settings.database_pool_size
    executors = Executors(
        records=BoundedExecutor("records", threads=threads, queue=200),
        questions=BoundedExecutor("questions", threads=threads, queue=50),
        transfers=BoundedExecutor("transfers", threads=_TRANSFER_THREADS, queue=200),
        analysts=BoundedExecutor("analysts", threads=_ANALYST_THREADS, queue=20),
    )
    publisher = Publisher(engine, connect_redis(settings), settings=settings, executor=executors.records)
    return Services(
        settings=settings,
        access=access,
        engine=engine,
        reader=reader,
        analyst=connect_analyst(settings),
        store=ObjectStore(settings),
        broker=connect_broker(settings, tracing),
        tracing=tracing,
        executors=executors,
        feed=Feed(History(engine, settings, executors.records, metrics=metrics), publisher, metrics=metrics),
        publisher=publisher,
        metrics=metrics,
        backlog=backlog,
        upload_gate=UploadGate(settings.upload_slots),
        inspections=Inspections(settings),
        unread=UnreadResponses(settings.hub_body_timeout_s, metrics.unread_bytes),
    )


def _listen(server: HTTPServer, settings: Settings) -> None:
    try:
        server.add_sockets(bind_sockets(settings.hub_port, settings.hub_host))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"The hub can't listen on {settings.hub_host}:{settings.hub_port}: {reason}.") from error


async def _drain(server: HTTPServer, services: Services, background: "list[asyncio.Task[None]]") -> None:
    LOG.info("the hub stops", extra={"requests_open": services.metrics.open_requests, "feed_clients": len(services.feed_clients)})
    server.stop()
    for client in list(services.feed_clients):
        client.close_going_away()
    services.feed.stop()
    deadline = asyncio.get_running_loop().time() + _DRAIN_S
    while services.metrics.open_requests and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
    await server.close_all_connections()
    for task in background:
        task.cancel()
    await services.tasks.wait()
    await services.feed.history.close()
    services.executors.close()
    services.inspections.close()
    services.reader.dispose()
    if services.analyst:
        services.analyst.dispose()
    services.engine.dispose()
    services.tracing.close()


async def _warm_up(services: Services) -> None:
    # Loaded after the hub listens, and in a thread: the first upload shall not wait for it, nor the feed stand still.
    await services.executors.transfers.run(import_slow, "loader.formats")
    kernels = await services.executors.transfers.run(import_slow, "shared.warm_up")
    await services.executors.transfers.run(kernels.compile_kernels)
    await services.executors.transfers.run(kernels.read_gazetteer)
    await services.executors.transfers.run(kernels.read_index, services.reader)
    await services.executors.transfers.run(_give_back)
    await services.inspections.start()


def _give_back() -> None:
    give_back_code()
    keep_lasting()
    give_back_free()


def _limit_connections(settings: Settings) -> int:
    """The setting, or less where the system lets the hub open fewer files."""
    files = _raise_file_limit()
    return (
        settings.hub_connections
        if files == resource.RLIM_INFINITY
        else max(1, min(settings.hub_connections, files - _OTHER_FILES))
    )


def _raise_file_limit() -> int:
    # Every client of the feed is an open file, and 1,024 is the usual soft limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


if __name__ == "__main__":
    main()
