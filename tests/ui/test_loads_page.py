"""Loads without a browser: the history, one load, its rejects, and what can be done with it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.publishing.publication import publish_load
from shared.compaction.segments import compact_loads
from shared.load_times import Compaction, fetch_compaction, fetch_load_times
from shared.loads import fetch_load
from shared.platform.settings import Settings
from shared.publications import request_publication
from shared.services.database import execute, transaction
from tests.hub import HubServer
from tests.loading import BAD_ROW, HEADER, ROW, change, load_bytes, make_trips, request_load, run_load
from tests.ui.conftest import OpenPage, metrics, texts
from ui.loads.times import describe_compaction
from ui.style.text import NOTHING, THIN_SPACE


@pytest.fixture
def hub(settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer.start(settings, tmp_path)
    yield server
    server.stop()


@pytest.fixture
def rejected(context: Context) -> dict[str, Any]:
    """A load of three good rows and two bad ones."""
    other = ROW.replace(b"7.6 45.0", b"seven").replace(b"2018-05-21 02:54:04", b"2018-05-22 02:54:04")
    return load_bytes(context, HEADER + ROW * 3 + BAD_ROW + other, file_name="rejected.csv")


def confirm(app: AppTest, load_id: int, order: str) -> AppTest:
    app.button(key=f"{order}_{load_id}").click().run()
    app.button(key="order_yes").click().run()
    return app


def test_a_load_with_its_counts(open_page: OpenPage, challenge: dict[str, Any]) -> None:
    app = open_page("loads")
    table = app.dataframe[0].value
    assert table["File"].tolist() == ["trips.csv"]
    assert table["Rows read"].tolist() == [100]
    assert table["State"].tolist() == ["✓ Succeeded"]
    assert "Load 1: trips.csv" in texts(app)
    assert {name: metrics(app)[name] for name in ("Rows read", "Loaded", "Rejected", "Size")} == {
        "Rows read": "100",
        "Loaded": "100",
        "Rejected": "0",
        "Size": "12.8 kB",
    }


def test_no_load_yet(open_page: OpenPage) -> None:
    assert "No file has been loaded yet." in texts(open_page("loads"))


def test_rejects_by_reason_with_examples(open_page: OpenPage, rejected: dict[str, Any]) -> None:
    app = open_page("loads")
    reasons = app.pills(key=f"reason_{rejected['load_id']}")
    assert len(reasons.options) == 2
    seen = {}
    for reason in rejected["rejects"]:
        reasons.set_value(reason).run()
        seen[reason] = app.dataframe[1].value["line"].tolist()
    assert sorted(lines for line in seen.values() for lines in line) == [5, 6]


def test_a_load_named_in_the_address(open_page: OpenPage, context: Context, rejected: dict[str, Any]) -> None:
    load_bytes(context, HEADER + ROW, file_name="newer.csv")
    assert "Load 2: newer.csv" in texts(open_page("loads"))
    assert f"Load {rejected['load_id']}: rejected.csv" in texts(open_page("loads", load=str(rejected["load_id"])))


def test_a_load_that_is_not_there(open_page: OpenPage) -> None:
    assert "There is no load 99." in texts(open_page("loads", load="99"))


def test_a_row_that_is_chosen_is_shown(open_page: OpenPage, context: Context, rejected: dict[str, Any]) -> None:
    load_bytes(context, HEADER + ROW, file_name="newer.csv")
    app = open_page("loads")
    app.session_state["loads_table"] = {"selection": {"rows": [1], "columns": []}}
    app.run()
    assert "rejected.csv" in texts(app)
    assert app.query_params["load"] == str(rejected["load_id"])


def test_states_filter_the_list(open_page: OpenPage, context: Context, rejected: dict[str, Any]) -> None:
    load_bytes(context, b"no trips here\n", file_name="letter.txt")
    app = open_page("loads")
    app.pills(key="loads_state").set_value("failed").run()
    assert app.dataframe[0].value["File"].tolist() == ["letter.txt"]


def test_a_failed_load_says_why(open_page: OpenPage, context: Context) -> None:
    load = load_bytes(context, b"no trips here\n", file_name="letter.txt")
    assert load["error_message"] in texts(open_page("loads"))


def test_the_same_file_again_points_to_the_first(open_page: OpenPage, context: Context) -> None:
    first = load_bytes(context, HEADER + ROW)
    load_bytes(context, HEADER + ROW, file_name="copy.csv")
    assert f"as load {first['load_id']}; nothing was added" in texts(open_page("loads"))


def test_a_hub_that_is_down_is_said_once(open_page: OpenPage, rejected: dict[str, Any]) -> None:
    app = open_page("loads")
    assert texts(app).count("The hub does not answer") == 1
    confirm(app, rejected["load_id"], "undo")
    assert "nothing was changed" in texts(app)


def test_undo_is_asked_and_done(
    hub: HubServer, open_page: OpenPage, context: Context, rejected: dict[str, Any], engine: Engine
) -> None:
    app = open_page("loads")
    app.button(key=f"undo_{rejected['load_id']}").click().run()
    assert "3 trips are removed" in texts(app)
    assert fetch_load(engine, rejected["load_id"])["state"] == "succeeded"
    app.button(key="order_yes").click().run()
    assert fetch_load(engine, rejected["load_id"])["state"] == "undone"


def test_cancel_and_retry(hub: HubServer, open_page: OpenPage, context: Context, engine: Engine) -> None:
    load_id = request_load(engine, context.store, HEADER + ROW)
    confirm(open_page("loads"), load_id, "cancel")
    assert fetch_load(engine, load_id)["state"] == "cancelled"
    clean_load(context, load_id)
    confirm(open_page("loads"), load_id, "retry")
    assert fetch_load(engine, load_id)["state"] == "queued"
    assert run_load(context, load_id)["rows_loaded"] == 1


def test_older_loads_are_a_page_away(open_page: OpenPage, context: Context, engine: Engine) -> None:
    for number in range(52):
        request_load(engine, context.store, b"x", file_name=f"{number}.csv")
    app = open_page("loads")
    assert len(app.dataframe[0].value) == 50
    app.button(key="loads_older").click().run()
    assert app.dataframe[0].value["File"].tolist() == ["1.csv", "0.csv"]
    app.button(key="loads_newest").click().run()
    assert len(app.dataframe[0].value) == 50


def test_show_on_map_asks_for_the_region_of_the_load_alone(open_page: OpenPage, rejected: dict[str, Any]) -> None:
    app = open_page(bbox="0,0,1,1")
    app.query_params.clear()
    app.switch_page("app_pages/loads.py").run()
    app.button(key=f"map_{rejected['load_id']}").click().run()
    assert app.query_params == {"region": "Turin", "datasource": "baba_car"}
    assert metrics(app)["Trips"] == "3"


def test_a_load_is_published_and_told(hub: HubServer, open_page: OpenPage, context: Context, rejected: dict[str, Any]) -> None:
    load_id = rejected["load_id"]
    app = open_page("loads")
    app.button(key=f"publish_{load_id}").click().run()
    assert "To be published" in texts(app)
    publish_load(context, load_id)
    app.run()
    assert f"Published: s3://tripdeck/exports/{load_id}/ (1 file," in texts(app)
    assert not [button for button in app.button if button.key == f"publish_{load_id}"]
    confirm(app, load_id, "undo")
    assert "being removed" in texts(app)


def test_a_failed_handover_is_told_and_asked_for_again(open_page: OpenPage, context: Context, rejected: dict[str, Any]) -> None:
    load_id = rejected["load_id"]
    settings = context.settings.model_copy(update={"publish_engine": "clickhouse"})
    request_publication(context.engine, context.broker, load_id, settings=settings)
    publish_load(change(context, publish_engine="clickhouse"), load_id)
    app = open_page("loads")
    assert "on its way into ClickHouse" in texts(app)
    with transaction(context.engine) as connection:
        connection.exec_driver_sql("update handover set state = 'failed', error_message = 'No such host'")
    app.run()
    assert "could not be handed over to ClickHouse: No such host" in texts(app)
    assert app.button(key=f"publish_{load_id}")


def test_stages_and_rate_of_a_load(open_page: OpenPage, context: Context) -> None:
    data, _ = make_trips(2_000, seed=3)
    load = load_bytes(change(context, batch_bytes=8_192), data, file_name="many.csv")
    assert load["batches_total"] >= 9
    app = open_page("loads")
    shown = metrics(app)
    assert [shown[name] for name in ("Upload", "Until compacted")] == [NOTHING, "waits"]
    assert all(re.fullmatch(r"[\d.]+ s|\d+ min \d\d s", shown[name]) for name in ("In the queue", "Load"))
    assert len(app.get("vega_lite_chart")) == 1
    rates = fetch_load_times(context.engine, load["load_id"], now=datetime.now(UTC)).rates
    assert sum(rate.rows_per_s * (rate.to_s - rate.from_s) for rate in rates) == pytest.approx(load["rows_read"])
    assert "until then questions read them as they are: 1 load with" in texts(app)


def test_a_load_of_one_batch_has_no_rate_over_time(open_page: OpenPage, challenge: dict[str, Any]) -> None:
    app = open_page("loads")
    assert metrics(app)["Until compacted"] == "waits"
    assert not app.get("vega_lite_chart")


def test_what_compaction_does(context: Context, challenge: dict[str, Any]) -> None:
    def describe() -> str:
        return describe_compaction(fetch_compaction(context.engine), now=datetime.now(UTC))

    assert describe().endswith("questions read them as they are: 1 load with 100 trips.")
    with transaction(context.engine) as connection:
        assert execute(connection, "lock_compaction").scalar_one()
        assert re.match(r"Compaction has been merging loads into a segment for [\d.]+ s; not compacted yet: 1 load", describe())
    assert compact_loads(context.engine, least_trips=1) == 1
    assert describe() == "Compaction has nothing to do: all trips are in 1 segment."
    stages = fetch_load_times(context.engine, challenge["load_id"], now=datetime.now(UTC)).stages
    assert [stage.name for stage in stages] == ["queue", "load", "compaction"]
    assert all(stage.ended_at and stage.began_at <= stage.ended_at for stage in stages)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((0, 0, 0, 0, False, None), "Compaction has nothing to do."),
        ((2, 3, 200_000, 1, False, None), "Compaction waits for 1 running load: 3 loads with 200_000 trips."),
        ((2, 3, 200_000, 0, False, None), "Compaction begins in a moment: 3 loads with 200_000 trips."),
        ((2, 1, 5, 2, True, None), "It pauses while loads run"),
    ],
)
def test_what_compaction_waits_for(facts: tuple[Any, ...], said: str) -> None:
    assert said.replace("_", THIN_SPACE) in describe_compaction(Compaction(*facts), now=datetime.now(UTC))
