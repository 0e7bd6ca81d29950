"""Questions without a browser: the challenge's two, with their SQL."""

import pytest

from tests.shared_data import read_challenge_expected
from tests.ui.conftest import OpenPage, texts


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
    app.text_input(key="regions_of_datasource.datasource").set_value("nobody").run()
    assert not app.dataframe
    assert "No rows." in texts(app)


def test_questions_without_trips(open_page: OpenPage) -> None:
    assert "No rows." in texts(open_page("questions"))
