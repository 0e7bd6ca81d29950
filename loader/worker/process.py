"""A worker process: the broker with its actors; maintenance, compaction and webhook threads beside the worker threads."""

import logging
import os
import threading
from collections.abc import Callable

import dramatiq
from dramatiq.middleware import Middleware

from loader.formats import warm_up
from loader.pipeline.context import Context, make_context
from loader.telemetry.backlog import BacklogCollector, BacklogReader
from loader.telemetry.exposition import serve_metrics
from loader.worker.actors import declare_actors
from loader.worker.compactor import Compactor
from loader.worker.heartbeat import Heartbeat
from loader.worker.maintenance import Maintenance
from loader.worker.webhook_sender import WebhookSender
from shared.platform.logs import configure_logs
from shared.platform.memory import give_back_code, give_back_free, keep_lasting
from shared.platform.settings import load_settings
from shared.platform.tracing import make_tracing
from shared.services.queueing import connect_broker
from shared.services.redis_client import connect_redis
from shared.warm_up import compile_kernels

LOG = logging.getLogger(__name__)


class _BackgroundMiddleware(Middleware):
    """Runs maintenance, compaction, webhooks and the listener for queue notifications beside the worker threads of a process."""

    def __init__(self, context: Context, heartbeat: Heartbeat) -> None:
        self._context = context
        self._heartbeat = heartbeat
        self._maintenance = Maintenance(context)
        self._compactor = Compactor(context)
        self._webhooks = WebhookSender(context)
        self._close_metrics: Callable[[], None] | None = None

    def after_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Start the threads."""
        self._close_metrics = _serve_metrics(self._context)
        threading.Thread(target=_warm_up, name="warm up", daemon=True).start()
        threading.Thread(
            target=self._context.broker.listen, args=(self._context.stopping,), name="notifications", daemon=True
        ).start()
        self._maintenance.start()
        self._compactor.start()
        self._webhooks.start()

    def before_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Tell running batches to stop."""
        self._context.stopping.set()

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        """Publish the events of the last batches, and stop the threads."""
        self._heartbeat.remove()
        self._webhooks.stop()
        self._compactor.stop()
        self._maintenance.stop()
        if self._close_metrics:
            self._close_metrics()
        self._context.tracing.close()


def _serve_metrics(context: Context) -> Callable[[], None] | None:
    settings, registry = context.settings, context.metrics.registry
    reader = BacklogReader(context.engine, connect_redis(settings), lease_s=settings.batch_lease_s)
    registry.register(BacklogCollector(reader.read))
    return serve_metrics(settings, registry)


def _warm_up() -> None:
    # Each step reads code that no later one needs, and the first loads must not come on top of it.
    give_back_code()
    warm_up()
    give_back_code()
    compile_kernels()
    give_back_code()
    keep_lasting()
    give_back_free()
    LOG.info("warmed up")


def setup_worker() -> None:
    """Make the broker of a worker process; Dramatiq calls this in each."""
    settings = load_settings()
    configure_logs(settings)
    tracing = make_tracing("tripdeck-worker", os.environ)
    heartbeat = Heartbeat(settings.data_dir)
    broker = connect_broker(settings, tracing, on_poll=heartbeat.beat)
    context = make_context(settings, broker, tracing)
    declare_actors(context)
    broker.add_middleware(_BackgroundMiddleware(context, heartbeat))
    dramatiq.set_broker(broker)
