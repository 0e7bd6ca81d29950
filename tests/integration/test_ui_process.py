"""The web app's process: it starts on settings alone, says in one line what is wrong with them, and stops when told."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import websocket

from infra.environment import make_environment
from shared.platform.settings import Settings
from tests.loading import wait_until

ROOT = Path(__file__).resolve().parents[2]


def start(environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ui.main"],
        cwd=ROOT,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_a_page_open(settings: Settings, stop_signal: signal.Signals) -> None:
    url = f"http://127.0.0.1:{settings.ui_port}"
    with start(make_environment(settings)) as process:
        wait_until(lambda: is_up(url), what="for the web app")
        page = websocket.create_connection(f"{url.replace('http', 'ws')}/_stcore/stream", origin=url, timeout=10)
        process.send_signal(stop_signal)
        output, _ = process.communicate(timeout=30)
        page.close()
    assert process.returncode in (0, -stop_signal)
    assert "Traceback" not in output


def test_the_document_names_tripdeck_and_its_server(settings: Settings) -> None:
    url = f"http://127.0.0.1:{settings.ui_port}"
    with start(make_environment(settings)) as process:
        wait_until(lambda: is_up(url), what="for the web app")
        with urllib.request.urlopen(f"{url}/loads?load=3", timeout=5) as answer:
            document = answer.read().decode()
        process.terminate()
        process.wait(timeout=30)
    assert "<title>Tripdeck</title>" in document
    assert "BACKEND_BASE_URL" in document
    assert "SourceSans" not in document


def test_a_wrong_setting_is_one_line() -> None:
    environment = {**os.environ, "TRIPDECK_DATABASE_URL": "mysql://nowhere"}
    with start(environment) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == "tripdeck-ui: TRIPDECK_DATABASE_URL must be a postgresql URL.\n"


def test_a_port_that_is_taken_is_said(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.ui_port)), start(make_environment(settings)) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {settings.ui_port} is not available" in output
    assert "Traceback" not in output
