"""Kills and unexpected errors have a limit each: those of one kind never use up the tries of the other."""

from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.batch import claim_batch, load_batch
from loader.pipeline.context import Context
from loader.pipeline.planning import plan_load
from shared.loads import fetch_load, retry_load
from shared.platform.errors import TransientError
from shared.services.database import execute, transaction
from tests.loading import change, make_trips, request_load, run_load

pytestmark = pytest.mark.faults

KILLS = 5
ERRORS = 3


@pytest.fixture
def limited(context: Context) -> Context:
    return change(context, batch_kills=KILLS, batch_attempts=ERRORS, batch_bytes=50_000)


class Planning:
    """A load before its plan."""

    counts = "select attempts, failures from load"

    def __init__(self, context: Context) -> None:
        self.context = context
        self.load_id = request_load(context.engine, context.store, make_trips(1_500)[0])

    def attempt(self) -> None:
        plan_load(self.context, self.load_id)

    def kill(self) -> None:
        """What a killed worker leaves behind."""
        with transaction(self.context.engine) as connection:
            execute(connection, "claim_planning", load_id=self.load_id, lease_s=20.0)
        self.run("update load set claimed_at = null")

    def fail(self) -> None:
        """An attempt that ends with an error nobody expects: what the database says of the file is nonsense."""
        self.spoil()
        with pytest.raises(TransientError, match="failed: "):
            self.attempt()
        self.mend()

    def fail_last(self) -> None:
        """As fail, where it is one too many."""
        self.spoil()
        self.attempt()

    def spoil(self) -> None:
        self.run("""update load set options = '{"timezone": 7}'""")

    def mend(self) -> None:
        self.run("update load set options = '{}'")

    def run(self, statement: str) -> None:
        with transaction(self.context.engine) as connection:
            connection.exec_driver_sql(statement)

    def count(self) -> tuple[int, int]:
        with transaction(self.context.engine) as connection:
            row = connection.exec_driver_sql(self.counts).one()
            return row.attempts, row.failures


class FirstBatch(Planning):
    """The first batch of a load that is planned."""

    counts = "select attempts, failures from load_batch where batch_no = 0"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        plan_load(context, self.load_id)

    def attempt(self) -> None:
        load_batch(self.context, self.load_id, 0)

    def kill(self) -> None:
        assert claim_batch(self.context, self.load_id, 0) is not None
        self.run("update load_batch set claimed_at = null")

    def spoil(self) -> None:
        self.run("""update load_batch set slice = jsonb_build_object('was', slice) where batch_no = 0""")

    def mend(self) -> None:
        self.run("update load_batch set slice = slice -> 'was' where batch_no = 0")


class FirstBatchOptions(FirstBatch):
    """The first batch of a load whose options can't be decoded for a while."""

    def fail_last(self) -> None:
        super().fail_last()
        self.mend()

    def spoil(self) -> None:
        Planning.spoil(self)

    def mend(self) -> None:
        Planning.mend(self)


Work = Planning | FirstBatch
works = pytest.mark.parametrize("kind", [Planning, FirstBatch, FirstBatchOptions])


def finish(work: Work) -> dict[str, Any]:
    return run_load(work.context, work.load_id)


@works
def test_as_many_kills_and_errors_as_are_borne_in_any_order(limited: Context, kind: type[Work]) -> None:
    work = kind(limited)
    for _ in range(ERRORS - 1):
        work.kill()
        work.fail()
    while work.count()[0] < KILLS - 1:
        work.kill()
    assert work.count() == (KILLS - 1, ERRORS - 1)
    load = finish(work)
    assert (load["state"], load["error_message"]) == ("succeeded", None)
    assert find_problems(limited.engine) == []


@works
def test_one_kill_more_ends_it(limited: Context, kind: type[Work]) -> None:
    work = kind(limited)
    work.fail()
    for _ in range(KILLS):
        work.kill()
    load = finish(work)
    assert load["state"] == "failed"
    assert f"ended its worker {KILLS} times" in load["error_message"]


@works
def test_one_error_more_ends_it(limited: Context, kind: type[Work]) -> None:
    work = kind(limited)
    for _ in range(KILLS - 1):
        work.kill()
    for _ in range(ERRORS - 1):
        work.fail()
    work.fail_last()
    load = finish(work)
    assert load["state"] == "failed"
    assert f"failed {ERRORS} times: " in load["error_message"]


@works
def test_what_passes_by_itself_counts_as_neither(limited: Context, kind: type[Work]) -> None:
    work = kind(limited)
    limited.stopping.set()
    for _ in range(KILLS + ERRORS):
        try:
            work.attempt()
        except TransientError:
            assert work.count() == (0, 0)
    limited.stopping.clear()
    assert finish(work)["state"] == "succeeded"


@works
def test_a_retry_counts_both_anew(limited: Context, kind: type[Work]) -> None:
    work = kind(limited)
    work.fail()
    for _ in range(KILLS):
        work.kill()
    assert finish(work)["state"] == "failed"
    retry_load(limited.engine, limited.broker, work.load_id)
    assert work.count() == (0, 0)
    assert finish(work)["state"] == "succeeded"


def test_progress_of_an_early_load_counts_both_anew(limited: Context) -> None:
    work = Planning(limited)
    work.fail()
    work.kill()
    with transaction(limited.engine) as connection:
        claimed = execute(connection, "claim_planning", load_id=work.load_id, lease_s=20.0).mappings().one()
        lease = {"load_id": work.load_id, "lease_token": claimed["lease_token"]}
        assert (claimed["attempts"], claimed["failures"]) == (2, 1)
        execute(connection, "begin_loading", **lease, plan={}, options={})
        assert execute(connection, "extend_loading", **lease, plan={}).first() is not None
    assert work.count() == (1, 0)
    assert fetch_load(limited.engine, work.load_id)["state"] == "loading"
