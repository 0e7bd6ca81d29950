"""Duties of the hub: they go on after whatever happens, and say so when they can't."""

import asyncio

import pytest

from loader.hub.feed.duties import Duty
from shared.platform.errors import TransientError


def is_ready(duty: Duty) -> bool:
    try:
        asyncio.run(duty.check())
    except TransientError:
        return False
    return True


def test_ready_while_it_runs_only() -> None:
    duty = Duty("feed")
    assert not is_ready(duty)
    with duty.running():
        assert is_ready(duty)
    assert not is_ready(duty)


def test_some_failures_in_a_row_are_too_many() -> None:
    duty = Duty("feed")
    with duty.running():
        for _ in range(2):
            duty.fail(RuntimeError("broken"))
        assert is_ready(duty)
        duty.fail(RuntimeError("broken"))
        assert not is_ready(duty)
        duty.turn()
        assert is_ready(duty)


def test_a_turn_that_does_not_end_counts_too() -> None:
    duty = Duty("feed", limit_s=0.0)
    with duty.running():
        assert not is_ready(duty)


def test_one_that_fails_outright_is_not_running() -> None:
    duty = Duty("feed")
    with pytest.raises(RuntimeError), duty.running():
        raise RuntimeError
    assert not is_ready(duty)
