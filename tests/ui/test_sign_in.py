"""Sign-in: with a provider set up the pages show only the way in; without one, everything; never beyond loopback by mistake."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from shared.platform.errors import SettingsError
from shared.platform.settings import Settings
from tests.ui.conftest import OpenPage, metrics, texts
from ui.main import SCRIPT
from ui.services.resources import connect_resources, provide_resources
from ui.services.sign_in import check_access
from ui.style.theme import make_server_config

SECRET = SecretStr("sixteen-characters-or-more")
AUTH = """
[auth]
redirect_uri = "http://127.0.0.1:8501/oauth2callback"
cookie_secret = "a-secret-of-the-test-only"
client_id = "tripdeck"
client_secret = "of-the-test"
server_metadata_url = "https://id.example.com/.well-known/openid-configuration"
"""


@pytest.fixture
def sign_in_file(tmp_path: Path) -> Path:
    path = tmp_path / "sign_in.toml"
    path.write_text(AUTH, encoding="utf-8")
    return path


@pytest.mark.usefixtures("challenge")
@pytest.mark.parametrize("page", ["explore", "load", "loads", "questions"])
def test_who_has_not_signed_in_sees_the_way_in_and_nothing_else(settings: Settings, sign_in_file: Path, page: str) -> None:
    resources = connect_resources(settings.model_copy(update={"sign_in_file": sign_in_file, "hub_secret": SECRET}))
    provide_resources(resources)
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.secrets["auth"] = {"cookie_secret": "a-secret-of-the-test-only"}
    if page != "explore":
        app.switch_page(f"app_pages/{page}.py")
    app.run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Sign in"]
    shown = [len(kind) for kind in (app.metric, app.dataframe, app.selectbox, app.radio, app.caption)]
    assert not any(shown), shown
    resources.close()


@pytest.mark.usefixtures("challenge")
def test_without_a_provider_there_is_one_local_user(open_page: OpenPage) -> None:
    app = open_page()
    assert metrics(app)["Trips"] == "100"
    assert "Sign in" not in texts(app)


def test_the_setting_alone_decides_where_secrets_come_from(settings: Settings, sign_in_file: Path) -> None:
    assert make_server_config(settings)["secrets.files"] == []
    chosen = make_server_config(settings.model_copy(update={"sign_in_file": sign_in_file}))
    assert chosen["secrets.files"] == [str(sign_in_file)]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ui_host": "0.0.0.0"}, "loopback only"),
        ({"sign_in_file": Path("not/there.toml"), "hub_secret": SECRET}, "no file"),
        ({"sign_in_file": Path(__file__)}, "TRIPDECK_HUB_SECRET"),
    ],
)
def test_settings_that_would_let_strangers_in_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        check_access(Settings(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ui_host": "localhost"},
        {"ui_host": "::1"},
        {"ui_host": "0.0.0.0", "ui_allow_anyone": True},
        {"ui_host": "0.0.0.0", "sign_in_file": Path(__file__), "hub_secret": SECRET},
    ],
)
def test_settings_that_are_fine(changes: dict[str, Any]) -> None:
    check_access(Settings(**changes))
