"""Redis: connections and their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dramatiq
import redis

from shared.platform.errors import TransientError
from shared.platform.settings import Settings

_SOCKET_TIMEOUT_S: Final = 5


def connect_redis(settings: Settings, *, decode_responses: bool = True) -> "redis.Redis":
    """Make a Redis client; connects at first use."""
    return redis.Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=_SOCKET_TIMEOUT_S,
        socket_timeout=_SOCKET_TIMEOUT_S,
        health_check_interval=30,
        decode_responses=decode_responses,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except (redis.RedisError, dramatiq.errors.BrokerError) as error:
        raise TransientError(f"Redis can't be reached: {error}", code="queue_unavailable") from error
