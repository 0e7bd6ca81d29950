"""Sources on the Load page, without a browser: added, shown with what waits, paused, removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loader.pipeline.context import Context
from shared.platform.settings import Settings
from shared.sources import list_sources
from tests.hub import HubServer
from tests.integration.test_sources import OTHER_HEADER, OTHER_ROW, Drop, drop, rows, run
from tests.loading import change
from tests.services import S3Server
from tests.ui.conftest import OpenPage, texts

__all__ = ["drop"]


@pytest.fixture
def settings(settings: Settings, drop: Drop) -> Settings:
    return settings.model_copy(update={"source_allow": (f"s3://{drop.bucket}/",)})


@pytest.fixture
def hub(settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer.start(settings, tmp_path)
    yield server
    server.stop()


def test_a_source_from_its_address_to_its_end(
    open_page: OpenPage, hub: HubServer, context: Context, drop: Drop, s3_server: S3Server
) -> None:
    reading = change(context, source_allow=(f"s3://{drop.bucket}/",))
    drop.put("1.csv", rows(1))
    app = open_page("load")
    app.text_input(key="load_region").set_value("Torino").run()
    app.text_input(key="source_address").set_value(f"s3://{drop.bucket}/")
    app.button(key="FormSubmitter:source_form-Watch").click().run()
    [source] = list_sources(context.engine)
    assert (source["options"]["region"], source["interval_s"], source["on_drift"]) == ("Torino", 60, "ask")
    number = source["source_id"]
    run(reading, number)
    drop.put("2.csv", OTHER_HEADER + OTHER_ROW)
    run(reading, number)
    app.run()
    table = app.dataframe[0].value
    assert table["Loaded"].tolist() == [1]
    assert table["To decide"].tolist() == [1]
    assert not app.exception
    assert "2.csv" in texts(app)
    app.button(key=f"source_retry_{number}").click().run()
    run(reading, number)
    assert list_sources(context.engine)[0]["objects_loaded"] == 2
    app.button(key=f"source_pause_{number}").click().run()
    assert list_sources(context.engine)[0]["state"] == "paused"
    app.button(key=f"source_resume_{number}").click().run()
    assert list_sources(context.engine)[0]["state"] == "active"
    app.button(key=f"source_remove_{number}").click().run()
    assert list_sources(context.engine) == []
    assert "Nothing is watched." in texts(app)


def test_an_address_that_may_not_be_read(open_page: OpenPage, hub: HubServer, context: Context) -> None:
    app = open_page("load")
    app.text_input(key="source_address").set_value("https://example.org/a.csv")
    app.button(key="FormSubmitter:source_form-Watch").click().run()
    assert "TRIPDECK_SOURCE_ALLOW" in texts(app)
    assert list_sources(context.engine) == []
