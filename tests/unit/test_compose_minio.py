"""docker-compose.minio.yml: with docker-compose.yml it is valid, and MinIO takes SeaweedFS's place whole."""

import os
import subprocess
from pathlib import Path
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
    assert STORE["volumes"] == ["store:/data"]
    assert [target for _, target in list_secrets(STORE)] == ["tripdeck_s3_secret_key"]
    assert "curl" not in STORE["healthcheck"]["test"]


def test_it_is_a_project_of_its_own() -> None:
    assert MERGED["name"] not in (COMPOSE["name"], "tripdeck-citus")


def test_origins_are_given_as_minio_reads_them(tmp_path: Path) -> None:
    start = tmp_path / "docker-entrypoint.sh"
    start.write_text('#!/bin/sh\necho "$MINIO_API_CORS_ALLOW_ORIGIN $*"\n')
    start.chmod(0o755)
    command = [part.replace("$$", "$").replace("/usr/bin/docker-entrypoint.sh", str(start)) for part in STORE["entrypoint"]]
    environment = {"ORIGINS": '["https://a.example", "https://b.example:8501"]', "PATH": os.defpath}
    printed = subprocess.run([*command, *STORE["command"]], env=environment, capture_output=True, text=True, check=True).stdout
    assert printed == "https://a.example,https://b.example:8501 server /data\n"


def test_it_is_hardened_and_published_as_the_other() -> None:
    for key in ("read_only", "cap_drop", "security_opt", "user", "ports", "networks", "depends_on"):
        assert STORE[key] == COMPOSE["services"]["store"][key]
