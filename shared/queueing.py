"""The queue: Dramatiq over Redis. Messages carry ids only; losing Redis loses no work, the reconciler enqueues it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from shared.errors import TransientError
from shared.settings import Settings

QUEUE: Final = "load"
PLAN_ACTOR: Final = "plan_load"
BATCH_ACTOR: Final = "load_batch"

# A killed worker's messages come back after 15 s instead of 60 s plus a rare lottery (81 to 929 s in nine trials).
_HEARTBEAT_TIMEOUT_MS: Final = 15_000
_MAINTENANCE_CHANCE: Final = 1_000_000
_SOCKET_TIMEOUT_S: Final = 5


def connect_redis(settings: Settings) -> "redis.Redis":
    """Make a Redis client; connects at first use."""
    return redis.Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=_SOCKET_TIMEOUT_S,
        socket_timeout=_SOCKET_TIMEOUT_S,
        health_check_interval=30,
        decode_responses=True,
    )


def connect_broker(settings: Settings) -> RedisBroker:
    """Make the broker that enqueues and consumes; connects at first use."""
    broker = RedisBroker(  # type: ignore[no-untyped-call]
        url=settings.redis_url.get_secret_value(),
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=_MAINTENANCE_CHANCE,
    )
    broker.declare_queue(QUEUE)
    return broker


def enqueue(broker: dramatiq.Broker, actor: str, **ids: int) -> None:
    """Ring the bell for one load or batch. Raises: TransientError when Redis is away (the reconciler will do it)."""
    with redis_errors():
        broker.enqueue(dramatiq.Message(queue_name=QUEUE, actor_name=actor, args=(), kwargs=dict(ids), options={}))


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except (redis.RedisError, dramatiq.errors.BrokerError) as error:
        raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error
