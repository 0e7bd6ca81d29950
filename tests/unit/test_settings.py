"""Settings: what is written about them is what there is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.environment import make_environment, make_example
from shared.platform.errors import SettingsError
from shared.platform.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"


def read_example() -> list[str]:
    return [line[1:] for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line.startswith(f"#{PREFIX}")]


def test_example_lists_every_setting_and_no_other() -> None:
    names = [line.split("=", 1)[0] for line in read_example()]
    assert names == [PREFIX + name.upper() for name in Settings.model_fields]


def test_example_is_current() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == make_example(), "run: python -m infra.environment > .env.example"


def test_example_as_a_shell_reads_it_gives_the_defaults(tmp_path: Path) -> None:
    lines = [line for line in read_example() if not line.endswith("=")]
    (tmp_path / "env").write_text("\n".join(lines), encoding="utf-8")
    shell = f"set -a; . ./env; exec {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    done = subprocess.run(["sh", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=True)
    environment = {name: value for name, value in json.loads(done.stdout).items() if name.startswith(PREFIX)}
    assert load_settings(environment) == Settings()


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_says_what_it_is_and_its_unit(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description
    assert field.description.endswith(".")
    number = field.annotation in (int, float)
    if number and name not in ("hub_port", "ui_port"):
        assert field.description.count(".") >= 2, f"{name}: the last sentence is its unit"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="TRIPDECK_HUB_PROT"):
        load_settings({"TRIPDECK_HUB_PROT": "1"})


def test_a_value_that_does_not_fit_is_refused_with_its_name() -> None:
    with pytest.raises(SettingsError, match="TRIPDECK_HUB_PORT"):
        load_settings({"TRIPDECK_HUB_PORT": "many"})


def test_settings_survive_the_way_through_an_environment() -> None:
    settings = Settings(hub_port=1234, allowed_origins=("http://a", "http://b"), s3_secret_key="s", api_public_url="http://c")
    environment = make_environment(settings, base={"PATH": "/bin", "TRIPDECK_UI_PORT": "1"})
    assert environment["PATH"] == "/bin"
    assert load_settings({name: value for name, value in environment.items() if name != "PATH"}) == settings


def test_secrets_don_t_show_in_a_printed_object() -> None:
    assert "geheim" not in repr(Settings(s3_secret_key="geheim", hub_secret="geheim", database_url="postgresql://x:geheim@h/d"))


@pytest.mark.parametrize("entry", ["http://data.example.org/", "/etc", "https://user@data.example.org/", "s3://Bucket/"])
def test_an_address_that_nobody_may_read_is_refused(entry: str) -> None:
    with pytest.raises(SettingsError, match="TRIPDECK_SOURCE_ALLOW"):
        load_settings({"TRIPDECK_SOURCE_ALLOW": f'["{entry}"]'})
