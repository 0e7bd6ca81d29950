"""Actors: what the queue's messages call. Thin; the work is in plain functions that tests call without a queue."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

import dramatiq
from dramatiq.errors import Retry

from loader.pipeline.batch import load_batch
from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.pipeline.planning import plan_load
from loader.publishing.handover import hand_over
from loader.publishing.publication import publish_load
from loader.sources import run_source
from shared.platform.errors import TerminalError, TransientError
from shared.services.queueing import (
    BATCH_ACTOR,
    CLEAN_ACTOR,
    HANDOVER_ACTOR,
    PLAN_ACTOR,
    PUBLISH_ACTOR,
    QUEUES,
    SOURCE_ACTOR,
    read_carrier,
)

LOG = logging.getLogger(__name__)

# Least first: a new file is looked at before the batches at hand go on; cleaning waits for both, publishing and sources
# for all.
_PRIORITIES: Final = {PLAN_ACTOR: 0, BATCH_ACTOR: 10, CLEAN_ACTOR: 20, PUBLISH_ACTOR: 30, HANDOVER_ACTOR: 25, SOURCE_ACTOR: 30}


def declare_actors(context: Context) -> None:
    """Register the actors with the context's broker."""
    publishing, reading = threading.Lock(), threading.Lock()
    work = partial(_work, context)

    def plan(load_id: int) -> None:
        work(PLAN_ACTOR, lambda: plan_load(context, load_id), load_id=load_id)

    def load(load_id: int, batch_no: int) -> None:
        work(BATCH_ACTOR, lambda: load_batch(context, load_id, batch_no), load_id=load_id, batch_no=batch_no)

    def clean(load_id: int) -> None:
        work(CLEAN_ACTOR, lambda: clean_load(context, load_id), load_id=load_id)

    def publish(load_id: int) -> None:
        work(PUBLISH_ACTOR, lambda: _do_alone(lambda: publish_load(context, load_id), publishing), load_id=load_id)

    def take_over(load_id: int) -> None:
        work(HANDOVER_ACTOR, lambda: hand_over(context, load_id), load_id=load_id)

    def read(source_id: int) -> None:
        work(SOURCE_ACTOR, lambda: _do_alone(lambda: run_source(context, source_id), reading), source_id=source_id)

    actors: dict[str, Callable[..., None]] = {
        PLAN_ACTOR: plan,
        BATCH_ACTOR: load,
        CLEAN_ACTOR: clean,
        PUBLISH_ACTOR: publish,
        HANDOVER_ACTOR: take_over,
        SOURCE_ACTOR: read,
    }
    for name, function in actors.items():
        dramatiq.actor(
            actor_name=name,
            queue_name=QUEUES[name],
            priority=_PRIORITIES[name],
            broker=context.broker,
            throws=TerminalError,
        )(function)


def _do_alone(function: Callable[[], None], lock: threading.Lock) -> None:
    """Publish one load, or read one source, at a time in a process: it takes a thread for minutes, and loads want the others."""
    if not lock.acquire(blocking=False):
        raise TransientError("This process is at another one.")
    try:
        function()
    finally:
        lock.release()


def _work(context: Context, actor: str, function: Callable[[], None], /, **ids: int) -> None:
    """Turn a TransientError into Dramatiq's Retry: tried again with backoff, without a traceback in the log."""
    with context.tracing.message_span(actor, read_carrier(), **ids):
        try:
            function()
        except TransientError as error:
            context.metrics.retries.labels(actor, error.error_code).inc()
            LOG.warning("work waits", extra={"reason": error.message})
            raise Retry(error.message) from error
