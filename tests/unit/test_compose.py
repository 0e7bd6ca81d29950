"""docker-compose.yml: valid by the Compose specification, in step with the settings, and closed by default.

The specification's JSON schema comes with the package check-jsonschema, which keeps it current.
"""

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra import probe
from infra.environment import COMPOSE_ONLY
from infra.make_secrets import make_secrets, open_scripts
from loader.worker import heartbeat
from shared.platform.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if str(service["image"]).startswith("tripdeck-"))
ONE_SHOT = {"bucket", "migrate", "store-folder"}
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
DOCKERFILE = (ROOT / "infra/containers/Dockerfile").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
# Longest draining of each, in seconds: loader/hub/main.py, loader/worker/main.py, and what Streamlit takes.
DRAINING_S = {"hub": 20, "worker": 20, "ui": 10}
SCRIPTS = re.findall(r'^(tripdeck[a-z-]*) = "', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)


def list_secrets(service: dict[str, Any]) -> list[tuple[str, str]]:
    """(source, target) of a service's secrets."""
    entries = [entry if isinstance(entry, dict) else {"source": entry} for entry in service.get("secrets", [])]
    return [(entry["source"], entry.get("target", entry["source"])) for entry in entries]


def fill_in(value: object) -> str:
    """Put defaults where compose would take ${NAME:-default} from .env, the inner ones first."""
    text, changes = str(value), 1
    while changes:
        text, changes = re.subn(r"\$\{\w+:-((?:[^{}$]|\{[^{}$]*\})*)\}", r"\1", text)
    return text


def make_schema() -> dict[str, Any]:
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema: dict[str, Any] = json.loads(vendored.read_text(encoding="utf-8"))
    return schema


def test_the_file_is_valid_by_the_specification() -> None:
    schema = make_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(COMPOSE, schema, cls=jsonschema.Draft202012Validator)


def test_the_schema_sees_a_misspelt_key() -> None:
    broken = {"services": {"hub": {"image": "x", "enviroment": {}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, make_schema(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", OURS)
def test_settings_that_are_passed_exist(name: str) -> None:
    service = SERVICES[name]
    passed = {key for key in service.get("environment", {}) if key.startswith(PREFIX)}
    passed |= {target.upper() for _, target in list_secrets(service)}
    assert passed
    assert passed <= KNOWN


@pytest.mark.parametrize("name", OURS)
def test_settings_that_are_passed_have_usable_values(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    load_settings({key: fill_in(value) for key, value in environment.items() if key.startswith(PREFIX)})


def test_settings_named_in_the_file_come_from_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)", text)) <= KNOWN | set(COMPOSE_ONLY)


@pytest.mark.parametrize("name", OURS)
def test_settings_of_the_file_dot_env_reach_every_process(name: str) -> None:
    assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]
    assert not [own for own in COMPOSE_ONLY if own.startswith(PREFIX)], "processes would refuse it"


def test_pooler_and_store_get_the_settings_that_they_serve() -> None:
    assert SERVICES["pgbouncer"]["environment"]["STATEMENT_TIMEOUT_MS"] == "${TRIPDECK_STATEMENT_TIMEOUT_MS:-30000}"
    assert Settings.model_fields["statement_timeout_ms"].default == 30_000
    origins = SERVICES["hub"]["environment"]["TRIPDECK_ALLOWED_ORIGINS"]
    assert SERVICES["store"]["environment"]["ORIGINS"] == origins
    assert json.loads(fill_in(origins)) == list(Settings.model_fields["allowed_origins"].default)


def test_public_addresses_are_settings() -> None:
    for name in ("TRIPDECK_S3_PUBLIC_ENDPOINT", "TRIPDECK_API_PUBLIC_URL", "TRIPDECK_ALLOWED_ORIGINS"):
        assert SERVICES["hub"]["environment"][name].startswith(f"${{{name}:-")


def test_secrets_are_all_made_all_used_and_fit_together(tmp_path: Path) -> None:
    declared = {name: Path(secret["file"]).name for name, secret in COMPOSE["secrets"].items()}
    used = {source for service in SERVICES.values() for source, _ in list_secrets(service)}
    assert used == set(declared)
    folder = tmp_path / ".secrets"
    made = make_secrets(folder)
    assert set(declared.values()) <= set(made)
    assert (folder / "tripdeck_password").read_text() in (folder / "tripdeck_database_url").read_text()
    assert make_secrets(folder) == []


def test_secrets_differ_between_installations_and_are_never_in_the_file(tmp_path: Path) -> None:
    make_secrets(tmp_path / "a")
    make_secrets(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_text() != (tmp_path / "b" / path.name).read_text()
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|SECRET", key) or (key.endswith("_FILE") and value), key


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_loopback_and_for_browsers_only(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert all(fill_in(port).startswith("127.0.0.1:") for port in ports)
    assert bool(ports) == (name in ("hub", "ui", "store"))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_containers_are_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("cap_add", []) == (["CHOWN"] if name == "store-folder" else [])
    assert (service["user"].split(":")[0] == "0") == (name == "store-folder")
    assert "container_name" not in service
    assert "privileged" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_services_that_stay_have_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.search(r"\d+\.\d+|\d{4}-\d{2}-\d{2}", tag)


def test_images_of_the_dockerfile_are_pinned_and_its_targets_exist() -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE)) | {"TARGETARCH": "amd64"}
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    names = {stage for _, stage in stages}
    for base, _ in stages:
        image = base
        while "${" in image:
            image = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], image)
        assert image in names | {"scratch"} or re.search(r":\d+\.\d+", image), base
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= names


def test_python_is_compiled_in_the_images_and_nothing_unpinned_builds_them() -> None:
    assert "UV_COMPILE_BYTECODE=1" in STAGES["loader-packages"]
    assert "compileall" in STAGES["base"]
    assert "USER" not in STAGES["base"], "only root may write there"
    assert "infra.compile_kernels" in STAGES["loader-built"]
    assert "# syntax=" not in DOCKERFILE, "an image that each build would fetch"


@pytest.mark.parametrize("name", OURS)
def test_health_checks_outlast_the_probe(name: str) -> None:
    check = SERVICES[name].get("healthcheck")
    if check and "infra.probe" in check["test"]:
        assert int(check["timeout"].removesuffix("s")) > probe.TIMEOUT_S
        assert int(check["start_period"].removesuffix("s")) >= 120


def test_one_service_builds_each_image() -> None:
    built = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(built) == sorted({SERVICES[name]["image"] for name in OURS})


def test_images_keep_kernels_for_the_processors_that_they_were_compiled_for() -> None:
    for machine in ("amd64", "arm64"):
        [compiled] = re.findall(r"NUMBA_CPU_NAME=.*", STAGES[f"kernels-{machine}"])
        assert compiled in STAGES[f"base-{machine}"]
    assert "NUMBA_CACHE_DIR=/opt/tripdeck/kernels" in STAGES["base"]
    assert "NUMBA_CACHE_DIR=/opt/tripdeck/kernels" in STAGES["loader-built"]


@pytest.mark.parametrize("name", sorted(DRAINING_S))
def test_containers_are_given_longer_than_they_drain(name: str) -> None:
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > DRAINING_S[name]


def test_probes_know_the_defaults_of_the_settings() -> None:
    settings = load_settings({})
    assert (settings.hub_port, settings.ui_port, str(settings.data_dir)) == (probe.HUB_PORT, probe.UI_PORT, probe.DATA_DIR)
    assert probe.HEARTBEATS == heartbeat.FOLDER


def test_files_that_are_mounted_exist_are_readable_and_labelled(tmp_path: Path) -> None:
    mounted = [entry for service in SERVICES.values() for entry in service.get("volumes", []) if entry.startswith("./")]
    assert mounted
    for entry in mounted:
        source, _, options = entry.split(":")
        copy = tmp_path / "infra" / Path(source).relative_to("infra")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / source).read_bytes())
        copy.chmod(0o600)
        assert options == "ro,z"
    open_scripts(tmp_path / "infra")
    assert {path.stat().st_mode & 0o444 for path in tmp_path.glob("infra/*/*")} == {0o444}


def test_the_store_s_key_is_that_of_its_clients_and_for_one_bucket(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    [identity] = json.loads((tmp_path / "store_identities").read_text())["identities"]
    environment = SERVICES["hub"]["environment"]
    assert identity["credentials"] == [
        {"accessKey": environment["TRIPDECK_S3_ACCESS_KEY"], "secretKey": (tmp_path / "tripdeck_s3_secret_key").read_text()}
    ]
    assert {action.split(":")[1] for action in identity["actions"]} == {environment["TRIPDECK_S3_BUCKET"]}


def test_dockerfile_copies_what_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _target = line.split()
        for source in sources:
            assert "*" in source or (ROOT / source).exists(), source


def test_the_loader_image_has_no_streamlit() -> None:
    assert "streamlit==" not in (ROOT / "infra/locks/loader.txt").read_text(encoding="utf-8")
    assert "streamlit==" in (ROOT / "infra/locks/ui.txt").read_text(encoding="utf-8")


def test_our_services_run_the_console_scripts_of_the_local_stack() -> None:
    commands = {name: SERVICES[name]["command"] for name in OURS}
    for name, command in commands.items():
        assert command[0] in SCRIPTS or command[:2] == ["python", "-m"], name
    assert {"tripdeck-hub", "tripdeck-worker", "tripdeck-ui", "tripdeck-migrate"} <= {command[0] for command in commands.values()}


def test_start_order_names_services_and_waits_for_what_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted
