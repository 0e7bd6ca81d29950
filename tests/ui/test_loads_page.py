"""Loads without a browser: the history, one load, its rejects, and what can be done with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from loader.pipeline.context import Context
from loader.pipeline.finishing import clean_load
from loader.publishing.publication import publish_load
from shared.loads import fetch_load
from shared.platform.settings import Settings
from shared.publications import request_publication
from shared.services.database import transaction
from tests.hub import HubServer
from tests.loading import BAD_ROW, HEADER, ROW, change, load_bytes, request_load, run_load
from tests.ui.conftest import OpenPage, metrics, texts


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
