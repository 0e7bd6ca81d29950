"""What a load asks is kept with it, and answered by a retry with options: the file needs no second upload."""

import pytest

from loader.pipeline.context import Context
from shared.loads import retry_load
from shared.platform.errors import ConflictError
from tests.loading import load_bytes, run_load

ASKING = b"cab,a_origin,a_destination,at\n1,POINT (7.67 45.06),POINT (7.66 45.07),01/02/2026 08:00\n"


def test_a_question_is_answered_by_a_retry(context: Context) -> None:
    load = load_bytes(context, ASKING, file_name="asking.csv")
    assert (load["state"], load["error_code"]) == ("failed", "ambiguous_dates")
    assert load["question"]["parameter"] == "date_order"
    [_, day_first] = load["question"]["choices"]
    retried = retry_load(context.engine, context.broker, load["load_id"], options=day_first["options"])
    assert (retried["state"], retried["question"]) == ("queued", None)
    load = run_load(context, load["load_id"])
    assert (load["state"], load["options"]["date_order"], load["rows_loaded"]) == ("succeeded", "dmy", 1)


def test_a_load_that_asks_nothing_has_no_question(context: Context) -> None:
    assert load_bytes(context, b"", file_name="empty.csv")["question"] is None


def test_what_is_loaded_is_not_read_in_another_way(context: Context) -> None:
    load = load_bytes(context, ASKING.replace(b"01/02", b"13/02"), file_name="plain.csv")
    assert load["state"] == "succeeded"
    with pytest.raises(ConflictError, match="undo it before"):
        retry_load(context.engine, context.broker, load["load_id"], options={"date_order": "mdy"})
