"""docker-compose.citus.yml: with docker-compose.yml it is valid, closed and hardened. Its form only: it isn't run."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.unit.test_compose import COMPOSE, ONE_SHOT, ROOT, list_secrets, make_schema

OVERRIDE = ROOT / "infra/citus/docker-compose.citus.yml"
NODES = ("database", "citus-1", "citus-2")


class Instead(list[Any]):
    """A list with the tag !override: it takes the other's place."""


class Loader(yaml.SafeLoader):
    """Reads Compose's own tag."""


Loader.add_constructor("!override", lambda loader, node: Instead(loader.construct_sequence(node)))


def merge(base: Any, change: Any, key: str = "") -> Any:
    """Merge as Compose does: mappings by key, volumes by where they are mounted, other lists one after the other."""
    if isinstance(base, dict) and isinstance(change, dict):
        return base | {name: merge(base.get(name), value, name) for name, value in change.items()}
    if not isinstance(base, list) or isinstance(change, Instead) or key in ("command", "entrypoint", "test"):
        return list(change) if isinstance(change, Instead) else change
    if key == "volumes":
        return list({entry.split(":")[1]: entry for entry in [*base, *change]}.values())
    return [*base, *(entry for entry in change if entry not in base)]


ADDED: dict[str, Any] = yaml.load(OVERRIDE.read_text(encoding="utf-8"), Loader=Loader)
MERGED: dict[str, Any] = merge(COMPOSE, ADDED)
SERVICES: dict[str, dict[str, Any]] = MERGED["services"]


def test_the_merged_file_is_valid_by_the_specification() -> None:
    jsonschema.validate(MERGED, make_schema(), cls=jsonschema.Draft202012Validator)


def test_it_is_a_project_of_its_own() -> None:
    assert MERGED["name"] != COMPOSE["name"]


def test_the_merge_sees_a_misspelt_key() -> None:
    broken = merge(COMPOSE, {"services": {"citus-1": {"image": "x:1.0", "volume": []}}})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, make_schema(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", sorted(ADDED["services"]))
def test_services_are_hardened_pinned_and_publish_nothing(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"].split(":")[0] != "0"
    assert re.search(r":\d+\.\d+", service["image"])
    assert service["networks"] == ["data"]
    assert not {"ports", "cap_add", "privileged", "container_name"} & set(service)
    assert {source for source, _ in list_secrets(service)} <= set(MERGED["secrets"])
    assert not [key for key in service.get("environment", {}) if re.search(r"PASSWORD$|SECRET$", key)]


@pytest.mark.parametrize("name", NODES)
def test_nodes_run_one_image_with_one_command_on_a_volume_of_their_own(name: str) -> None:
    node, other = SERVICES[name], SERVICES["citus-1"]
    assert (node["image"], node["command"], node["user"]) == (other["image"], other["command"], other["user"])
    assert [setting for setting in node["command"] if re.fullmatch(r"max_prepared_transactions=[1-9]\d*", setting)]
    [data] = [entry.split(":")[0] for entry in node["volumes"] if entry.endswith(":/var/lib/postgresql/data")]
    assert data in MERGED["volumes"]
    assert [each for each in NODES if f"{data}:/var/lib/postgresql/data" in SERVICES[each]["volumes"]] == [name]
    assert len({entry.split(":")[0] for entry in node["tmpfs"]}) == len(node["tmpfs"])
    assert node["healthcheck"]["test"][0] == "CMD"


def test_scripts_that_are_mounted_exist() -> None:
    mounted = [entry.split(":")[0] for name in ADDED["services"] for entry in SERVICES[name].get("volumes", [])]
    scripts = [path for path in mounted if path.startswith("./")]
    assert {Path(path).name for path in scripts} == {"node.sh", "nodes.sh"}
    assert all((ROOT / path).read_text(encoding="utf-8").startswith("#!/bin/sh\n") for path in scripts)


def test_the_schema_is_made_when_every_node_is_known() -> None:
    assert SERVICES["citus-nodes"]["entrypoint"][2:] == list(NODES)
    assert set(SERVICES["citus-nodes"]["depends_on"]) == set(NODES)
    assert SERVICES["migrate"]["depends_on"]["citus-nodes"]["condition"] == "service_completed_successfully"
    assert "citus-nodes" not in ONE_SHOT
