"""The queue: notifications wake consumers, so that nothing waits for the next poll."""

import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
import redis

from shared.platform.settings import Settings
from shared.services.queueing import BATCH_ACTOR, QUEUES, NotifyingBroker, connect_broker, enqueue
from tests.loading import listening, wait_until
from tests.proxy import running_proxy
from tests.services import ValkeyServer

QUEUE = QUEUES[BATCH_ACTOR]
# Longer than any test waits: what comes sooner was woken.
LOOK_MS = 60_000
SOON_S = 5.0


class Reader:
    """A thread that takes messages as a worker's consumer thread does."""

    def __init__(self, broker: NotifyingBroker, *, prefetch: int = 4) -> None:
        self.consumer = broker.consume(QUEUE, prefetch=prefetch, timeout=LOOK_MS)
        self.messages: list[dramatiq.MessageProxy] = []
        self._is_over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over:
            message = next(self.consumer)
            if message is not None:
                self.messages.append(message)

    def stop(self) -> None:
        self._is_over = True
        # A message that is acknowledged again notifies again.
        self.consumer.ack(self.messages[0])
        self._thread.join()

    def wait_for(self, messages: int, *, timeout_s: float = SOON_S) -> bool:
        deadline = time.monotonic() + timeout_s
        while len(self.messages) < messages and time.monotonic() < deadline:
            time.sleep(0.005)
        return len(self.messages) >= messages


@pytest.fixture
def brokers(settings: Settings) -> Iterator[tuple[NotifyingBroker, NotifyingBroker]]:
    """Of a process that sends and of one that works."""
    sender, worker = connect_broker(settings), connect_broker(settings)
    yield sender, worker
    for broker in (sender, worker):
        broker.client.close()


def test_message_of_another_process_wakes_the_consumer(brokers: tuple[NotifyingBroker, NotifyingBroker]) -> None:
    sender, worker = brokers
    enqueue(sender, BATCH_ACTOR, load_id=1, batch=0)
    reader = Reader(worker)
    assert reader.wait_for(1), "it was sent before the first look"
    enqueue(sender, BATCH_ACTOR, load_id=1, batch=1)
    assert not reader.wait_for(2, timeout_s=0.5), "control: nobody listens for notifications"
    with listening(worker):
        # The first may be sent before Redis knows who listens.
        for batch in range(2, 2 + int(SOON_S / 0.2)):
            enqueue(sender, BATCH_ACTOR, load_id=1, batch=batch)
            if reader.wait_for(3, timeout_s=0.2):
                break
        assert len(reader.messages) >= 3
    reader.stop()


def test_freed_thread_takes_the_next_message_at_once(brokers: tuple[NotifyingBroker, NotifyingBroker]) -> None:
    sender, worker = brokers
    for batch in range(3):
        enqueue(sender, BATCH_ACTOR, load_id=1, batch=batch)
    reader = Reader(worker, prefetch=1)
    assert reader.wait_for(1)
    assert not reader.wait_for(2, timeout_s=0.5), "control: one message per thread"
    reader.consumer.ack(reader.messages[0])
    assert reader.wait_for(2)
    reader.consumer.nack(reader.messages[1])
    assert reader.wait_for(3)
    reader.consumer.ack(reader.messages[2])
    reader.stop()
    assert worker.do_qsize(QUEUE) == 0


def test_message_that_nobody_rang_for_is_found_by_a_look(settings: Settings) -> None:
    broker = connect_broker(settings)
    consumer = broker.consume(QUEUE, timeout=100)
    assert next(consumer) is None
    enqueue(broker, BATCH_ACTOR, load_id=1, batch=0)
    consumer.ack(wait_until(lambda: next(consumer)))
    assert broker.do_qsize(QUEUE) == 0
    broker.client.close()


def test_redis_that_answers_too_late_is_tried_again(valkey_server: ValkeyServer, settings: Settings) -> None:
    """Dramatiq acknowledges again after a lost connection; else the message would stay with a worker that lives."""
    with running_proxy(valkey_server.port) as proxy:
        url = settings.redis_url.get_secret_value().replace(f":{valkey_server.port}", f":{proxy.port}")
        broker = NotifyingBroker(client=redis.Redis.from_url(url, socket_timeout=0.2), middleware=[])
        broker.declare_queue(QUEUE)
        enqueue(broker, BATCH_ACTOR, load_id=1, batch_no=1)
        consumer = broker.consume(QUEUE, prefetch=1, timeout=10)
        message = next(consumer)
        assert message is not None
        proxy.is_held.set()
        for work in (lambda: consumer.ack(message), lambda: consumer.nack(message), lambda: next(consumer)):
            with pytest.raises(dramatiq.errors.ConnectionClosed):
                work()
        broker.client.close()
