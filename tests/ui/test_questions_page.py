"""Questions without a browser: the challenge's two, with their SQL."""

from collections.abc import Iterator

import pytest

from shared.platform.settings import Settings
from tests.analysts import as_analyst
from tests.shared_data import read_challenge_expected
from tests.ui.conftest import OpenPage, texts
from ui.services.resources import connect_resources, provide_resources


@pytest.mark.usefixtures("challenge")
def test_the_two_questions_of_the_challenge(open_page: OpenPage) -> None:
    expected = read_challenge_expected()
    app = open_page("questions")
    datasource, region, _ = expected["bonus_latest_datasource_in_top2"]
    assert app.dataframe[0].value[["datasource", "region"]].to_numpy().tolist() == [[datasource, region]]

    app.radio(key="question").set_value("latest_datasource_per_top_region").run()
    per_region = app.dataframe[0].value.set_index("region")["datasource"].to_dict()
    assert per_region == expected["bonus_latest_datasource_per_top2_region"]

    app.radio(key="question").set_value("regions_of_datasource").run()
    assert app.dataframe[0].value["region"].tolist() == expected["bonus_cheap_mobile_regions"]
    assert "where datasource = %(datasource)s" in app.code[0].value
    assert app.query_params["question"] == "regions_of_datasource"


@pytest.mark.usefixtures("challenge")
def test_an_answer_that_counts_is_drawn_too(open_page: OpenPage) -> None:
    app = open_page("questions", question="trips_per_region")
    assert sum(app.dataframe[0].value["trips"]) == 100
    assert len(app.get("vega_lite_chart")) == 1
    app.radio(key="question").set_value("regions_of_datasource").run()
    assert len(app.get("vega_lite_chart")) == 0


@pytest.mark.usefixtures("challenge")
def test_a_parameter_changes_the_answer(open_page: OpenPage) -> None:
    app = open_page("questions", question="regions_of_datasource")
    choice = app.selectbox(key="regions_of_datasource.datasource")
    assert choice.value == "cheap_mobile"
    names = {"baba_car", "bad_diesel_vehicles", "cheap_mobile", "funny_car", "pt_search_app"}
    assert set(choice.options) == names
    answers = {"|".join(app.dataframe[0].value["region"])}
    for name in names - {"cheap_mobile"}:
        choice.set_value(name).run()
        answers.add("|".join(app.dataframe[0].value["region"]))
    assert answers <= {"Hamburg", "Prague", "Turin"} | {"Hamburg|Prague", "Hamburg|Turin", "Prague|Turin", "Hamburg|Prague|Turin"}


@pytest.fixture
def own_sql(settings: Settings) -> Iterator[Settings]:
    """Pages of a database that analysts may ask in SQL."""
    asking = as_analyst(settings)
    resources = connect_resources(asking)
    provide_resources(resources)
    yield asking
    resources.close()


@pytest.mark.usefixtures("challenge")
def test_an_own_question_in_sql(open_page: OpenPage, own_sql: Settings) -> None:
    app = open_page("questions", question="sql")
    assert not app.dataframe
    assert "`trips`: started_at (timestamp), region (text)" in texts(app)
    app.text_area(key="own_sql").set_value("select region, count(*) as trips from trips group by region order by region")
    app.button[0].click().run()
    assert app.dataframe[0].value["region"].tolist() == ["Hamburg", "Prague", "Turin"]
    assert sum(app.dataframe[0].value["trips"]) == 100
    assert len(app.get("vega_lite_chart")) == 1
    assert [button.label for button in app.get("download_button")] == ["CSV", "Parquet"]
    app.text_area(key="own_sql").set_value("delete from load")
    app.button[0].click().run()
    assert not app.dataframe
    assert "The statement gives no rows: a SELECT is needed." in texts(app)
    app.text_area(key="own_sql").set_value("select n from generate_series(1, 1000) as n")
    app.button[0].click().run()
    assert "500 rows, the first ones; an answer has 500 at most" in texts(app)


def test_own_questions_are_not_offered_where_they_are_off(open_page: OpenPage) -> None:
    app = open_page("questions", question="sql")
    assert "sql" not in app.radio(key="question").options
    assert app.radio(key="question").value == "latest_datasource_of_top_regions"


def test_questions_without_trips(open_page: OpenPage) -> None:
    assert "No rows." in texts(open_page("questions"))
