"""What every call of the hub has in common: parameters, errors, forms, origins, the API's description."""

import json
import re
import socket
from typing import Any

import pytest
from openapi_spec_validator import validate

from loader.hub.application import ROUTES
from tests.hub import HubServer, read_error
from tests.hub_fixtures import PAGE, hub, hub_engine, hub_settings

__all__ = ["hub", "hub_engine", "hub_settings"]

MISTAKES = [
    ("/api/v1/loads", {"limit": 0}, "limit"),
    ("/api/v1/loads", {"limit": "many"}, "limit"),
    ("/api/v1/loads", {"state": "lost"}, "state"),
    ("/api/v1/loads", {"before": 2**40}, "before"),
    ("/api/v1/loads", {"befor": 3}, "befor"),
    ("/api/v1/loads/first", {}, "load_id"),
    ("/api/v1/loads/1", {"load_id": 2}, "load_id"),
    ("/api/v1/loads/1/rejects", {"after": -1}, "after"),
    ("/api/v1/loads/1/rejects", {"format": "xlsx"}, "format"),
    ("/api/v1/weekly-average", {"bbox": "7,45,8"}, "bbox"),
    ("/api/v1/weekly-average", {"bbox": ""}, "bbox"),
    ("/api/v1/weekly-average", {"bbox": "7,46,8,45"}, "bbox"),
    ("/api/v1/weekly-average", {"bbox": "nan,45,8,46"}, "bbox"),
    ("/api/v1/weekly-average", {"end": "middle"}, "end"),
    ("/api/v1/weekly-average", {"from": "2018-05-32"}, "from"),
    ("/api/v1/weekly-average", {"from": "1526342400"}, "from"),
    ("/api/v1/weekly-average", {"from": "2018-06-01", "to": "2018-05-01"}, "from"),
    ("/api/v1/weekly-average", {"region": "Atlantis"}, "region"),
    ("/api/v1/weekly-average", {"regoin": "Turin"}, "regoin"),
    ("/api/v1/weekly-average", {"region": ["Turin", "Prague"]}, "region"),
    ("/api/v1/trip-groups", {"precision": 13}, "precision"),
    ("/api/v1/trip-groups", {"bucket_minutes": 7}, "bucket_minutes"),
    ("/api/v1/trip-groups", {"limit": 10**6}, "limit"),
    ("/api/v1/flows", {"viewport": "here"}, "viewport"),
    ("/api/v1/flows", {"hour_from": 3, "hour_to": 3}, "hour_to"),
    ("/api/v1/hours", {"bbox": "a,b,c,d"}, "bbox"),
    ("/api/v1/questions/regions_of_datasource", {"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("path", "asked", "parameter"), MISTAKES)
def test_a_mistake_is_named_by_its_parameter(hub: HubServer, path: str, asked: dict[str, Any], parameter: str) -> None:
    answer = hub.get(path, **asked)
    error = answer.json()
    assert (answer.status, error["code"], error["parameter"]) == (400, "bad_request", parameter)
    assert len(error["detail"]) > 10


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/api/v1/trips", None, (404, "not_found")),
        ("GET", "/api/v1/loads/77", None, (404, "not_found")),
        ("GET", "/api/v1/questions/why", None, (404, "not_found")),
        ("POST", "/api/v1/loads/77/cancel", None, (404, "not_found")),
        ("GET", "/api/v1/uploads/00000000-0000-0000-0000-000000000000", None, (404, "not_found")),
        ("PATCH", "/api/v1/loads/77", None, (405, "method_not_allowed")),
        ("POST", "/api/v1/regions", b"x" * 10, (405, "method_not_allowed")),
        ("BREW", "/api/v1/loads", None, (405, "method_not_allowed")),
        ("POST", "/api/v1/uploads", b"{", (400, "bad_request")),
        ("POST", "/api/v1/uploads", b"[]", (400, "bad_request")),
        ("POST", "/api/v1/uploads", b"\xff", (400, "bad_request")),
        ("POST", "/api/v1/uploads", {"file_name": "a.csv"}, (400, "bad_request")),
        ("POST", "/api/v1/uploads", {"file_name": "a.csv", "bytes": 1, "size": 1}, (400, "bad_request")),
        ("POST", "/api/v1/uploads", {"file_name": "a.csv", "bytes": 0}, (422, "empty_file")),
        ("POST", "/api/v1/uploads", {"file_name": "a.csv", "bytes": 2**41}, (413, "too_large")),
        ("POST", "/api/v1/uploads", b" " * (2**20 + 1), (413, "too_large")),
    ],
)
def test_errors_are_json_with_a_code(hub: HubServer, method: str, path: str, body: object, expected: tuple[int, str]) -> None:
    assert read_error(hub.ask(method, path, body=body)) == expected


def test_a_wrong_method_says_which_are_right(hub: HubServer) -> None:
    assert hub.ask("DELETE", "/api/v1/loads").headers["Allow"] == "GET, POST, OPTIONS"


def test_head_answers_like_get_without_the_body(hub: HubServer) -> None:
    answer = hub.ask("HEAD", "/api/v1/loads")
    assert (answer.status, answer.data) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 10


def test_every_answer_forbids_sniffing_and_shared_caches(hub: HubServer) -> None:
    for path in ("/api/v1/loads", "/api/v1/loads/77", "/nothing", "/healthz"):
        headers = hub.get(path).headers
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "private, no-cache")
        assert "ornado" not in headers["Server"]


def test_allowed_pages_may_read_and_change(hub: HubServer) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
    answer = hub.ask("OPTIONS", "/api/v1/loads/a.csv", headers=asked)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, PAGE)
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert hub.get("/api/v1/loads", headers={"Origin": PAGE}).headers["Access-Control-Allow-Origin"] == PAGE
    assert hub.ask("POST", "/api/v1/loads/77/cancel", headers={"Origin": PAGE}).status == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://pages.example", "https://pages.example:8501"])
def test_foreign_pages_may_neither_read_nor_change(hub: HubServer, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    assert read_error(hub.ask("OPTIONS", "/api/v1/loads", headers=headers)) == (403, "forbidden")
    assert "Access-Control-Allow-Origin" not in hub.get("/api/v1/loads", headers=headers).headers
    for method, path in [("PUT", "/api/v1/loads/a.csv"), ("POST", "/api/v1/loads/77/cancel"), ("POST", "/api/v1/uploads")]:
        assert read_error(hub.ask(method, path, headers=headers, body=b"{}")) == (403, "forbidden")
        assert read_error(hub.ask(method, path, headers={"Origin": origin}, body=b"{}")) == (403, "forbidden")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8600", "127.0.0.1.evil.example", "[::2]"])
def test_a_foreign_name_for_this_address_is_refused(hub: HubServer, host: str) -> None:
    assert read_error(hub.get("/api/v1/loads", headers={"Host": host})) == (403, "forbidden")


@pytest.mark.parametrize("host", ["localhost:8600", "127.0.0.1", "[::1]:1"])
def test_names_of_loopback_are_ours(hub: HubServer, host: str) -> None:
    assert hub.get("/api/v1/loads", headers={"Host": host}).status == 200


def test_an_early_error_reaches_a_client_that_is_still_sending(hub: HubServer) -> None:
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as connection:
        connection.sendall(b"PUT /api/v1/loads/a.csv?zone=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(64):
            connection.sendall(b"x" * 2**16)
        answer = connection.recv(2**16)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"parameter": "zone"' in answer


def test_the_description_is_valid_and_complete(hub: HubServer) -> None:
    document = hub.get("/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {route for route, _ in ROUTES if not route.startswith("/ws/")}
    described = [each for methods in document["paths"].values() for each in methods.values()]
    assert all(parameter["description"] for each in described for parameter in each["parameters"])
    assert len({each["operationId"] for each in described}) == len(described)


def test_the_description_names_its_parameters_and_every_answer(hub: HubServer) -> None:
    paths = hub.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for each in methods.values():
            named = {parameter["name"] for parameter in each["parameters"] if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            for status, answer in each["responses"].items():
                assert "$ref" in answer or answer["description"], (path, status)
    assert "304" in paths["/api/v1/weekly-average"]["get"]["responses"]
    assert {"200", "201"} <= set(paths["/api/v1/uploads/{upload_id}/complete"]["post"]["responses"])
    assert {"200", "202"} <= set(paths["/api/v1/loads"]["post"]["responses"])
    assert paths["/api/v1/files/{file_name}"]["put"]["operationId"] == "put_file"


def test_errors_are_problems(hub: HubServer) -> None:
    answer = hub.get("/api/v1/loads", limit=0)
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "parameter"}
    assert (problem["type"], problem["status"]) == ("urn:tripdeck:problem:bad_request", 400)


def test_pages_may_read_what_they_need(hub: HubServer) -> None:
    exposed = hub.get("/api/v1/loads", headers={"Origin": PAGE}).headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Link", "ETag", "Location", "Retry-After"} <= set(exposed)


def test_the_page_of_the_description_asks_nobody_else(hub: HubServer) -> None:
    answer = hub.get("/docs")
    page = answer.data.decode()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page
    assert set(re.findall(r'(?:href|src|action)="([^#"][^"]*)"', page)) == {"/openapi.json"}
    assert set(re.findall(r'href="#(\w+)"', page)) <= set(re.findall(r'id="(\w+)"', page))
    assert "/api/v1/weekly-average" in page


def test_figures_count_requests_by_route(hub: HubServer) -> None:
    hub.get("/api/v1/loads/77")
    figures = hub.get("/metrics").data.decode()
    assert re.search(r'tripdeck_hub_requests_total\{method="GET",route="/api/v1/loads/\{load_id\}",status="404"\} [1-9]', figures)
    assert "tripdeck_hub_request_seconds_bucket" in figures


def test_alive_and_ready(hub: HubServer) -> None:
    assert hub.get("/healthz").json()["status"] == "ok"
    ready = hub.get("/readyz").json()
    assert (ready["is_ready"], sorted(ready["services"])) == (True, ["database", "feed", "publisher", "redis", "store"])


def test_the_log_holds_no_failure_of_the_hubs_own(hub: HubServer) -> None:
    hub.get("/healthz")
    assert "Traceback" not in hub.log()
    assert "ERROR" not in hub.log()


def test_answers_are_json_documents(hub: HubServer) -> None:
    answer = hub.get("/api/v1/loads")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.data) == {"loads": [], "next": None}
