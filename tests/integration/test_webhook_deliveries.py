"""Deliveries: queued once per end of a load, sent to where they may go, tried again, and given up."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.environment import make_environment
from loader.pipeline.context import Context
from loader.webhooks.deliveries import deliver_next, queue_deliveries
from loader.webhooks.registry import add_webhook, list_deliveries
from shared.events import publish_events
from shared.loads import cancel_load
from shared.platform.errors import RequestError
from shared.services.database import execute, transaction
from shared.services.redis_client import connect_redis
from tests.loading import HEADER, ROW, change, request_load, running_worker, wait_until
from tests.webhook_receiver import Receiver

TIMEOUT_S = 2.0
# A worker that starts for the first time compiles its kernels; on a busy machine that takes minutes.
WORKER_S = 300.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest.fixture
def sending(context: Context) -> Context:
    """What messages are sent with in this process."""
    return change(context, webhook_private_hosts=("127.0.0.1",), webhook_timeout_s=TIMEOUT_S, webhook_attempts=3)


def end_load(context: Context) -> int:
    """A load that has ended, its event numbered."""
    load_id = request_load(context.engine, context.store, HEADER)
    cancel_load(context.engine, context.broker, load_id)
    publish_events(context.engine, connect_redis(context.settings), history=1_000)
    return load_id


def add(context: Context, receiver: Receiver) -> dict[str, Any]:
    return add_webhook(context.engine, receiver.url, [], settings=context.settings)


def force(context: Context) -> Any:
    """Send what is pending now, whenever it is due."""
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update webhook_delivery set due_at = clock_timestamp() where state = 'pending'")
    return deliver_next(context.engine, context.settings)


def test_each_end_is_queued_once_however_many_processes_queue(sending: Context, receiver: Receiver) -> None:
    webhook = add(sending, receiver)
    loads = [end_load(sending) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: queue_deliveries(sending.engine), range(40)))
    assert not queue_deliveries(sending.engine)
    found = list_deliveries(sending.engine, webhook["webhook_id"], before=None, limit=100)
    assert [each["load_id"] for each in reversed(found)] == loads


def test_events_are_not_trimmed_before_they_are_queued(sending: Context, receiver: Receiver) -> None:
    webhook = add(sending, receiver)
    load_id = end_load(sending)
    with transaction(sending.engine) as connection:
        connection.exec_driver_sql("update load set last_seq = last_seq + 1")
        assert execute(connection, "delete_old_events", keep=0).scalar_one() == 0
    queue_deliveries(sending.engine)
    with transaction(sending.engine) as connection:
        assert execute(connection, "delete_old_events", keep=0).scalar_one() > 0
    [delivery] = list_deliveries(sending.engine, webhook["webhook_id"], before=None, limit=10)
    assert delivery["load_id"] == load_id


def test_a_receiver_that_refuses_is_given_up_after_the_attempts(sending: Context, receiver: Receiver) -> None:
    webhook = add(sending, receiver)
    end_load(sending)
    queue_deliveries(sending.engine)
    receiver.status = 503
    assert [force(sending).state for _ in range(3)] == ["pending", "pending", "failed"]
    assert force(sending) is None
    [delivery] = list_deliveries(sending.engine, webhook["webhook_id"], before=None, limit=10)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("failed", 3, 503)
    assert delivery["error_message"] == "The receiver answered 503. Given up after 3 attempts."
    assert len({message.message_id for message in receiver.messages}) == 1


def test_pauses_become_longer(sending: Context, receiver: Receiver) -> None:
    patient = change(sending, webhook_attempts=20)
    add(patient, receiver)
    end_load(patient)
    queue_deliveries(patient.engine)
    receiver.status = 500
    pauses = [force(patient).pause_s for _ in range(9)]
    assert 4 <= pauses[0] <= 6
    assert pauses[:6] == sorted(pauses[:6])
    assert all(4 * 3_600 * 0.8 <= pause <= 4 * 3_600 * 1.2 for pause in pauses[6:])
    assert deliver_next(patient.engine, patient.settings) is None  # not due


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(sending: Context, receiver: Receiver, status: int) -> None:
    with Receiver().running() as elsewhere:
        receiver.status, receiver.answer_headers = status, {"Location": elsewhere.url}
        add(sending, receiver)
        end_load(sending)
        queue_deliveries(sending.engine)
        assert force(sending).state == "pending"
        assert (len(receiver.messages), elsewhere.messages) == (1, [])


def test_gone_is_not_tried_again(sending: Context, receiver: Receiver) -> None:
    receiver.status = 410
    add(sending, receiver)
    end_load(sending)
    queue_deliveries(sending.engine)
    assert (force(sending).state, force(sending)) == ("failed", None)


def test_an_answer_byte_by_byte_ends_at_the_time_limit(sending: Context, receiver: Receiver) -> None:
    receiver.drip_s = 0.2  # each byte well within any timeout of a socket
    add(sending, receiver)
    end_load(sending)
    queue_deliveries(sending.engine)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(force, sending).result(timeout=10 * TIMEOUT_S)
    assert (outcome.state, outcome.status) == ("pending", None)


def test_an_address_that_became_private_is_refused_when_it_is_sent(sending: Context, receiver: Receiver) -> None:
    add(sending, receiver)
    end_load(sending)
    queue_deliveries(sending.engine)
    outcome = force(change(sending, webhook_private_hosts=()))
    assert (outcome.state, receiver.messages) == ("failed", [])
    assert "not public" in outcome.error_message


def test_a_private_address_is_not_registered(sending: Context) -> None:
    with pytest.raises(RequestError, match="not public"):
        add_webhook(sending.engine, "https://169.254.169.254/latest/meta-data", [], settings=sending.settings)


def test_a_worker_that_is_killed_while_it_sends_leaves_it_to_another(
    sending: Context, receiver: Receiver, tmp_path: Path
) -> None:
    webhook = add(sending, receiver)
    environment = make_environment(sending.settings)
    receiver.free.clear()
    with running_worker(environment, tmp_path / "first.log") as worker:
        load_id = request_load(sending.engine, sending.store, HEADER + ROW)
        wait_until(lambda: receiver.messages, timeout_s=WORKER_S, what="for the request")
        worker.kill()
    receiver.free.set()
    [waiting] = list_deliveries(sending.engine, webhook["webhook_id"], before=None, limit=10)
    assert (waiting["state"], waiting["attempts"]) == ("pending", 1)
    with running_worker(environment, tmp_path / "second.log"):
        wait_until(lambda: len(receiver.messages) > 1, timeout_s=WORKER_S, what="for the second attempt")
    first, second = receiver.messages
    assert (first.message_id, first.body) == (second.message_id, second.body)
    assert json.loads(second.body)["data"]["load_id"] == load_id
    assert first.verify(webhook["secret"]) == second.verify(webhook["secret"]) == waiting["message_id"]
