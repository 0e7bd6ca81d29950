"""Clients of a hub's feed."""

from typing import Any

import pytest
import redis
from sqlalchemy import Engine

from tests.event_maker import add_events, make_load, publish
from tests.hub import HubServer


def positions(messages: list[dict[str, Any]]) -> list[int]:
    return [message["position"] for message in messages]


@pytest.fixture
def running(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> int:
    """A load with ten events, all published."""
    load_id = make_load(hub_engine)
    add_events(hub_engine, load_id, 9)
    publish(hub_engine, hub_redis)
    return load_id
