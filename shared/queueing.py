"""The queue: Dramatiq over Redis. Messages carry ids only; losing Redis loses no work, the reconciler enqueues it again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Retries

from shared.errors import TransientError
from shared.settings import Settings

PLAN_ACTOR: Final = "plan_load"
BATCH_ACTOR: Final = "load_batch"
CLEAN_ACTOR: Final = "clean_load"

# Two queues, each fetched from by every worker: a small file need not wait behind the batches of a large one.
QUEUES: Final[Mapping[str, str]] = {PLAN_ACTOR: "plan", BATCH_ACTOR: "load", CLEAN_ACTOR: "load"}

# A killed worker's messages come back after 15 s instead of 60 s plus a rare lottery (81 to 929 s in nine trials).
_HEARTBEAT_TIMEOUT_MS: Final = 15_000
_MAINTENANCE_CHANCE: Final = 1_000_000
_SOCKET_TIMEOUT_S: Final = 5
# 1, 2, 4 … 60 s, a quarter of an hour in all; after that the reconciler rings again.
_RETRIES: Final = 20
_MIN_BACKOFF_MS: Final = 1_000
_MAX_BACKOFF_MS: Final = 60_000


def connect_redis(settings: Settings, *, decode_responses: bool = True) -> "redis.Redis":
    """Make a Redis client; connects at first use."""
    return redis.Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=_SOCKET_TIMEOUT_S,
        socket_timeout=_SOCKET_TIMEOUT_S,
        health_check_interval=30,
        decode_responses=decode_responses,
    )


def connect_broker(settings: Settings) -> RedisBroker:
    """Make the broker that enqueues and consumes; connects at first use.

    Of Dramatiq's middleware only retries: its time limit raises inside whatever Python happens to run, and every wait here has a
    limit of its own.
    """
    broker = RedisBroker(  # type: ignore[no-untyped-call]
        client=connect_redis(settings, decode_responses=False),
        middleware=[Retries(max_retries=_RETRIES, min_backoff=_MIN_BACKOFF_MS, max_backoff=_MAX_BACKOFF_MS)],
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )
    for queue in sorted(set(QUEUES.values())):
        broker.declare_queue(queue)
    return broker


def enqueue(broker: dramatiq.Broker, actor: str, **ids: int) -> None:
    """Ring the bell for one load or batch. Raises: TransientError when Redis is away (the reconciler will do it)."""
    with redis_errors():
        broker.enqueue(dramatiq.Message(queue_name=QUEUES[actor], actor_name=actor, args=(), kwargs=dict(ids), options={}))


def count_messages(broker: RedisBroker) -> int:
    """Messages waiting, delayed or being worked on, over all queues. Raises: TransientError."""
    with redis_errors():
        keys = [f"{broker.namespace}:{queue}{kind}.msgs" for queue in set(QUEUES.values()) for kind in ("", ".DQ")]
        counts: list[Any] = [broker.client.hlen(key) for key in keys]
    return sum(counts)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except (redis.RedisError, dramatiq.errors.BrokerError) as error:
        raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error
