"""docker-compose.minio.yml: with docker-compose.yml it is valid, and MinIO takes SeaweedFS's place whole."""

from typing import Any

import jsonschema
import yaml

from tests.unit.test_compose import COMPOSE, ROOT, list_secrets, make_schema
from tests.unit.test_compose_citus import Loader, merge

ADDED: dict[str, Any] = yaml.load((ROOT / "infra/containers/docker-compose.minio.yml").read_text(encoding="utf-8"), Loader=Loader)
MERGED: dict[str, Any] = merge(COMPOSE, ADDED)
STORE: dict[str, Any] = MERGED["services"]["store"]


def test_the_merged_file_is_valid_by_the_specification() -> None:
    jsonschema.validate(MERGED, make_schema(), cls=jsonschema.Draft202012Validator)


def test_nothing_of_seaweedfs_is_left() -> None:
    assert STORE["image"].startswith("minio/minio:")
    assert STORE["entrypoint"] == ["/usr/bin/docker-entrypoint.sh"]
    assert [target for _, target in list_secrets(STORE)] == ["tripdeck_s3_secret_key"]
    assert "curl" not in STORE["healthcheck"]["test"]


def test_its_files_are_on_a_volume_of_its_own() -> None:
    assert STORE["volumes"] == MERGED["services"]["store-folder"]["volumes"] == ["minio:/data"]
    assert {"minio", "store"} <= set(MERGED["volumes"])


def test_it_is_hardened_and_published_as_the_other() -> None:
    for key in ("read_only", "cap_drop", "security_opt", "user", "ports", "networks", "depends_on"):
        assert STORE[key] == COMPOSE["services"]["store"][key]
