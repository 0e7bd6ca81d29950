"""Files looked at before they are loaded, over HTTP."""

from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_settings

__all__ = ["hub", "hub_settings"]


def test_inspection_tells_the_format_and_the_first_rows(hub: HubServer) -> None:
    rows = [f"Turin,POINT (7.6 45.0{n}),POINT (7.7 45.1),2018-05-0{n} 10:00:00,phone" for n in range(1, 8)]
    data = "\n".join(
        [
            "region,origin_coord,destination_coord,datetime,datasource",
            *rows,
            "Turin,nowhere,POINT (1 1),2018-05-01 10:00:00,phone",
            "",
        ]
    )
    answer = hub.post("/api/v1/inspect", data.encode(), file_name="trips.csv", is_whole="true")
    found = answer.json()
    assert (answer.status, found["rows_read"], found["rows_rejected"]) == (200, 8, 1)
    assert found["plan"]["columns"][0] == "region"
    assert (found["trips"][0]["started_at"], found["trips"][0]["region"]) == ("2018-05-01T10:00:00", "Turin")
    assert (found["rejects"][0]["line"], found["rejects"][0]["column"]) == (9, "origin_coord")
    assert {role["role"]: (role["column"], role["number"]) for role in found["roles"]}["started_at"] == ("datetime", 4)
    assert (found["clock"], found["timezone"], found["reasons"]) == ("as_written", None, {"origin_unreadable": 1})
    assert (found["suggested_region"], found["suggested_timezone"]) == ("Turin", "Europe/Rome")


def test_inspection_offers_the_answers_to_what_a_file_leaves_open(hub: HubServer) -> None:
    data = b"from,to,when\nPOINT (7.6 45.0),POINT (7.7 45.1),01/02/2018 10:00\n"
    error = hub.post("/api/v1/inspect", data, file_name="a.csv", is_whole="true").json()["error"]
    assert (error["code"], error["parameter"]) == ("ambiguous_dates", "date_order")
    assert [choice["options"] for choice in error["choices"]] == [{"date_order": "mdy"}, {"date_order": "dmy"}]
    assert error["columns"] == ["from", "to", "when"]
    answer = hub.post("/api/v1/inspect", data, file_name="a.csv", is_whole="true", **error["choices"][1]["options"]).json()
    assert (answer["trips"][0]["started_at"], answer["as_last_time"]) == ("2018-02-01T10:00:00", None)
    assert hub.ask("DELETE", f"/api/v1/readings/{'0' * 32}").status == 404


def test_inspection_refuses_what_is_no_trip_file(hub: HubServer) -> None:
    answer = hub.post("/api/v1/inspect", b"just some words\n" * 10, file_name="notes.txt", is_whole="true")
    assert answer.status == 422
    assert read_error(hub.post("/api/v1/inspect", b"", file_name="a.csv")) == (422, "empty_file")
    assert read_error(hub.post("/api/v1/inspect", b"x" * (8 * 2**20 + 1), file_name="a.csv")) == (413, "too_large")
