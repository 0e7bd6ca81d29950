"""The queue: Dramatiq over Redis. Messages carry ids only; losing Redis loses no work, the reconciler enqueues it again.

Dramatiq's consumers poll their queues. Polling seldom delays every message and every free thread; polling every 50 ms costs an
idle worker 6 % of a core and Redis 2 %. Here a notification over Redis wakes consumers when a message is sent, and an event in
the process when a thread is free.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage, Retries

from shared.platform.settings import Settings
from shared.platform.spans import Carrier, Tracing
from shared.services.redis_client import connect_redis, redis_errors

PLAN_ACTOR: Final = "plan_load"
BATCH_ACTOR: Final = "load_batch"
CLEAN_ACTOR: Final = "clean_load"
PUBLISH_ACTOR: Final = "publish_load"
HANDOVER_ACTOR: Final = "hand_over"
SOURCE_ACTOR: Final = "run_source"

# Two queues, each fetched from by every worker: a small file need not wait behind the batches of a large one.
QUEUES: Final[Mapping[str, str]] = {
    PLAN_ACTOR: "plan",
    BATCH_ACTOR: "load",
    CLEAN_ACTOR: "load",
    PUBLISH_ACTOR: "load",
    HANDOVER_ACTOR: "load",
    SOURCE_ACTOR: "load",
}

# A killed worker's messages come back after 15 s instead of 60 s plus a rare lottery (81 to 929 s in nine trials).
_HEARTBEAT_TIMEOUT_MS: Final = 15_000
_MAINTENANCE_CHANCE: Final = 1_000_000
# 1, 2, 4 … 20 s, a quarter of an hour in all; after that the reconciler enqueues again. Whatever was away, a load goes on soon
# after it is back.
_RETRIES: Final = 50
_MIN_BACKOFF_MS: Final = 1_000
_MAX_BACKOFF_MS: Final = 20_000
_LISTENING_S: Final = 1.0
_TRACE: Final = "trace"


class NotifyingBroker(RedisBroker):
    """A broker whose consumers wait for notifications, and poll their queue when none has come for a while.

    on_poll: called with a queue's name before each poll of it.
    """

    def __init__(
        self,
        client: "redis.Redis",
        *,
        on_poll: Callable[[str], None] | None = None,
        **options: Any,  # noqa: ANN401 - Dramatiq's own
    ) -> None:
        super().__init__(client=client, **options)  # type: ignore[no-untyped-call]
        self._on_poll = on_poll or _ignore_poll
        self._channel = f"{self.namespace}:notify"
        self._wakes: dict[str, threading.Event] = {}

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Send a message, and notify the consumers of its queue."""
        sent = super().enqueue(message, delay=delay)
        with suppress(redis.RedisError):  # consumers poll, too
            self.client.publish(self._channel, sent.queue_name)
        return sent

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        """Make a consumer of a queue. timeout: milliseconds between polls when no notification comes."""
        wake = self._wakes.setdefault(queue_name, threading.Event())
        consumer = super().consume(queue_name, prefetch, timeout=0)
        return _NotifiedConsumer(consumer, wake, timeout / 1000, on_poll=lambda: self._on_poll(queue_name))

    def listen(self, is_over: threading.Event) -> None:
        """Receive notifications of other processes until is_over is set, and a second longer at most."""
        while not is_over.is_set():
            with suppress(redis.RedisError), self.client.pubsub(ignore_subscribe_messages=True) as channel:
                channel.subscribe(self._channel)
                while not is_over.is_set():
                    message = channel.get_message(timeout=_LISTENING_S)
                    wake = self._wakes.get(message["data"].decode()) if message else None
                    if wake:
                        wake.set()
            is_over.wait(_LISTENING_S)


class _NotifiedConsumer(dramatiq.Consumer):
    """A consumer that waits for an event instead of sleeping; a sent message or a free thread sets it."""

    def __init__(self, consumer: dramatiq.Consumer, wake: threading.Event, wait_s: float, *, on_poll: Callable[[], None]) -> None:
        self._on_poll = on_poll
        self._consumer = consumer
        self._wake = wake
        self._wait_s = wait_s

    def __next__(self) -> dramatiq.MessageProxy | None:
        """Give a message; None after waiting for one."""
        self._on_poll()
        # Cleared before the poll: a notification during it is not missed.
        self._wake.clear()
        with _silence_as_lost():
            message = next(self._consumer)
        if message is None:
            self._wake.wait(self._wait_s)
        return message

    def ack(self, message: dramatiq.MessageProxy) -> None:
        """Acknowledge a message: its thread is free."""
        with _silence_as_lost():
            self._consumer.ack(message)
        self._wake.set()

    def nack(self, message: dramatiq.MessageProxy) -> None:
        """Give a message up: its thread is free."""
        with _silence_as_lost():
            self._consumer.nack(message)
        self._wake.set()

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        """Leave messages to other workers."""
        self._consumer.requeue(messages)

    def close(self) -> None:
        """End."""
        self._consumer.close()


def _ignore_poll(_queue: str) -> None:
    return


@contextmanager
def _silence_as_lost() -> Iterator[None]:
    """Take a Redis that answers too late for one that is away: Dramatiq tries again then, and else forgets the message."""
    try:
        yield
    except redis.TimeoutError as error:
        raise dramatiq.errors.ConnectionClosed(error) from error  # type: ignore[no-untyped-call]


class TracingMiddleware(CurrentMessage):
    """Has each message name the span that sends it, and lets its worker read that."""

    def __init__(self, tracing: Tracing) -> None:
        super().__init__()
        self._tracing = tracing

    def before_enqueue(self, _broker: dramatiq.Broker, message: dramatiq.Message[Any], _delay: int | None) -> None:
        """Name the span; a message that is tried again belongs to the one that sent it first."""
        if _TRACE not in message.options and (carrier := self._tracing.inject()):
            message.options[_TRACE] = carrier


def read_carrier() -> Carrier:
    """What the message at hand in this thread says of the span that sent it; nothing where tracing is off."""
    message = CurrentMessage.get_current_message()
    carrier: Carrier = message.options.get(_TRACE, {}) if message else {}
    return carrier


def connect_broker(
    settings: Settings, tracing: Tracing | None = None, *, on_poll: Callable[[str], None] | None = None
) -> NotifyingBroker:
    """Make the broker that enqueues and consumes; connects at first use. on_poll: called with a queue's name before each poll.

    Of Dramatiq's middleware only retries: its time limit raises inside whatever Python happens to run, and every wait here has a
    limit of its own.
    """
    broker = NotifyingBroker(
        client=connect_redis(settings, decode_responses=False),
        on_poll=on_poll,
        middleware=[Retries(max_retries=_RETRIES, min_backoff=_MIN_BACKOFF_MS, max_backoff=_MAX_BACKOFF_MS)],
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )
    for queue in sorted(set(QUEUES.values())):
        broker.declare_queue(queue)
    if tracing and tracing.is_on:
        broker.add_middleware(TracingMiddleware(tracing))
    return broker


def enqueue(broker: dramatiq.Broker, actor: str, **ids: int) -> None:
    """Send a message for one load or batch. Raises: TransientError when Redis is away (the reconciler will send it)."""
    with redis_errors():
        broker.enqueue(dramatiq.Message(queue_name=QUEUES[actor], actor_name=actor, args=(), kwargs=dict(ids), options={}))


def count_messages(broker: RedisBroker) -> int:
    """Messages waiting, delayed or being worked on, over all queues. Raises: TransientError."""
    with redis_errors():
        keys = [f"{broker.namespace}:{queue}{kind}.msgs" for queue in set(QUEUES.values()) for kind in ("", ".DQ")]
        counts: list[Any] = [broker.client.hlen(key) for key in keys]
    return sum(counts)
