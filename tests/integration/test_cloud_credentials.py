"""Credentials as clouds give them: of the object store by a role, of the database by a variable of their own."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from pydantic import SecretStr

from shared.platform.errors import TransientError
from shared.platform.settings import Settings, load_settings
from shared.services.database import connect_database, transaction
from shared.services.objects import ObjectStore
from tests.services import ACCESS_KEY, PASSWORD


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A machine that gives out credentials; who asked for what."""
    paths: list[str] = []

    class Machine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            until = "2999-01-01T00:00:00Z"
            given = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": PASSWORD, "Token": "", "Expiration": until}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(given).encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Machine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/role")
    yield paths
    server.shutdown()
    server.server_close()


def test_without_a_key_the_role_reads_writes_and_signs(settings: Settings, asked: list[str]) -> None:
    store = ObjectStore(settings.model_copy(update={"s3_access_key": SecretStr(""), "s3_secret_key": SecretStr("")}))
    store.check()
    stored = store.put("by-role", io.BytesIO(b"trips"), length=5)
    upload_id = store.create_upload("in-parts")
    url = store.sign_part("in-parts", upload_id, part_number=1)
    assert urllib3.request("PUT", url, body=b"part").status == 200
    assert (stored.bytes, set(asked)) == (5, {"/role"})


def test_with_a_key_nobody_is_asked(settings: Settings, asked: list[str]) -> None:
    ObjectStore(settings).check()
    assert asked == []


def test_the_database_takes_its_password_from_a_variable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = settings.database_url.get_secret_value().replace(f":{PASSWORD}@", "@")
    engine = connect_database(Settings(database_url=SecretStr(url)))
    with pytest.raises(TransientError, match="no password supplied"), transaction(engine):
        pass
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with transaction(engine) as connection:
        assert connection.exec_driver_sql("select 1").scalar_one() == 1
    engine.dispose()


def test_an_empty_key_is_a_setting() -> None:
    assert load_settings({"TRIPDECK_S3_ACCESS_KEY": ""}).s3_access_key.get_secret_value() == ""
