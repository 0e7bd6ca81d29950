"""The Kubernetes sketch: well formed, in step with the settings and with docker-compose.yml. No cluster has run it."""

from pathlib import Path
from typing import Any

import yaml

from shared.platform.settings import load_settings

ROOT = Path(__file__).parents[2]
OBJECTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "infra/kubernetes/tripdeck.yaml").read_text(encoding="utf-8"))["items"]
PODS = {
    found["metadata"]["name"]: found["spec"]["template"]["spec"] for found in OBJECTS if found["kind"] in ("Deployment", "Job")
}


def test_settings_that_are_passed_exist_and_fit() -> None:
    [config] = [found["data"] for found in OBJECTS if found["kind"] == "ConfigMap"]
    load_settings(config)


def test_pods_are_hardened_as_containers_of_compose_are() -> None:
    assert set(PODS) == {"migrate", "hub", "worker", "ui"}
    for pod in PODS.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
            assert container["resources"]["limits"]["memory"]


def test_services_and_ingress_point_at_pods_that_listen_there() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for found in OBJECTS:
        if found["kind"] == "Service":
            name = found["spec"]["selector"]["app"]
            [port] = [entry["port"] for entry in found["spec"]["ports"]]
            assert PODS[name]["containers"][0]["ports"] == [{"containerPort": port}]
            assert compose["services"][name]["ports"][0].endswith(f":{port}")
            assert compose["services"][name]["command"] == PODS[name]["containers"][0]["command"]
