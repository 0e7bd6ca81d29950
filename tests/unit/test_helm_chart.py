"""The Helm chart as Helm renders it: valid for three Kubernetes versions, in step with settings and Compose."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.make_secrets import make_secrets
from shared.platform.settings import Settings, load_settings
from tests.conftest import skip_or_fail
from tests.helm import CHART, pick_object, render_chart

ROOT = CHART.parents[1]
VERSIONS = ("1.33.0", "1.35.0", "1.37.0")
# Kinds of operators, which Kubernetes itself doesn't know.
CUSTOM = {"ScaledObject": "keda.sh/v1alpha1", "PodMonitor": "monitoring.coreos.com/v1"}
ROLES = ("hub", "worker", "ui")
EVERYTHING: dict[str, Any] = {
    "images": {"pullSecrets": ["registry"], "loader": {"digest": f"sha256:{'0' * 64}"}},
    "secrets": {"readDatabaseUrl": {"name": "replica"}, "sqlDatabaseUrl": {"name": "sql"}, "enginePassword": {"name": "engine"}},
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/tripdeck"}},
    "settings": {"min_group_trips": "5"},
    "worker": {
        "nodeSelector": {"pool": "loads"},
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
        "autoscaling": {"prometheusUrl": "http://prometheus.monitoring:9090"},
    },
    "ingress": {"className": "traefik", "annotations": {"example.com/sticky": "true"}},
    "monitoring": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}, "otlpEndpoint": "http://collector:4318"},
}
LITTLE: dict[str, Any] = {
    "serviceAccount": {"create": False},
    "hub": {"autoscaling": {"enabled": False}},
    "worker": {"autoscaling": {"enabled": False}},
    "bucket": {"create": False},
    "ingress": {"tls": {"enabled": False}},
    "networkPolicy": {"enabled": False},
}


@pytest.fixture(scope="module", autouse=True)
def _needs_helm() -> None:
    try:
        import helm_python  # noqa: F401
    except ImportError:
        skip_or_fail("Helm's library has a wheel for Linux on x86-64 only")


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return render_chart()


def list_pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for found in objects:
        if found["kind"] in ("Deployment", "Job"):
            yield found["metadata"]["labels"]["app.kubernetes.io/component"], found["spec"]["template"]["spec"]


def read_environment(pod: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}


def read_secrets(pod: dict[str, Any]) -> dict[str, str]:
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    return {item["path"]: item["key"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]}


def validate(objects: list[dict[str, Any]], version: str) -> None:
    import kubernetes_validate

    for found in objects:
        if found["kind"] in CUSTOM:
            assert found["apiVersion"] == CUSTOM[found["kind"]]
        else:
            kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("values", [EVERYTHING, LITTLE], ids=["everything", "little"])
def test_what_is_rendered_is_valid_for_three_versions(values: dict[str, Any]) -> None:
    objects = render_chart(values)
    names = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(names) == len(set(names)) >= 9
    for version in VERSIONS:
        validate(objects, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broken_object_is_refused(objects: list[dict[str, Any]], version: str) -> None:
    import kubernetes_validate

    broken = yaml.safe_load(yaml.safe_dump(pick_object(objects, "Deployment", "hub")))
    broken["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(kubernetes_validate.ValidationError):
        validate([broken], version)


def test_helm_finds_nothing_wrong_but_in_a_broken_chart(tmp_path: Path) -> None:
    import helm_python

    found = helm_python.lint(str(CHART))
    assert [message["error"] for message in found["messages"]] == ["icon is recommended"]
    shutil.copytree(CHART, tmp_path / "broken")
    (tmp_path / "broken/templates/more.yaml").write_text("name: {{ .Values.nothing.there }}\n", encoding="utf-8")
    assert helm_python.lint(str(tmp_path / "broken"))["errors"]


@pytest.mark.parametrize(
    "values",
    [
        {"worker": {"autoscaling": {"maxReplica": 4}}},
        {"worker": {"replicas": -1}},
        {"ingress": {"uiHost": "Trips!"}},
        {"secrets": {"redisUrl": {"name": ""}}},
        {"settings": {"database_url": "postgresql://with:password@server/db"}},
        {"settings": {"batch_bytes": 1}},
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, Any]) -> None:
    import helm_python

    with pytest.raises(helm_python.HelmError, match=r"values don't meet|schema"):
        render_chart(values)


def test_every_setting_that_is_secret_is_refused_among_the_settings_and_has_a_role() -> None:
    import helm_python

    names = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    for name in names:
        with pytest.raises(helm_python.HelmError):
            render_chart({"settings": {name: "x"}})
    given = {path for _, pod in list_pods(render_chart(EVERYTHING)) for path in read_secrets(pod)}
    assert given - {"tripdeck_sign_in.toml"} == {f"tripdeck_{name}" for name in names} - {"tripdeck_api_token"}  # a client's


def test_settings_that_are_passed_exist_and_fit() -> None:
    for values in ({}, EVERYTHING):
        for _, pod in list_pods(render_chart(values)):
            settings = load_settings(
                {name: value for name, value in read_environment(pod).items() if name.startswith("TRIPDECK_")}
            )
            assert settings.api_url == "http://tripdeck-hub:8600"
            assert set(read_secrets(pod)) - {"tripdeck_sign_in.toml"} <= {f"tripdeck_{name}" for name in Settings.model_fields}


def test_each_role_gets_the_secrets_that_compose_gives_it(objects: list[dict[str, Any]], tmp_path: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for role, pod in list_pods(objects):
        given = [one if isinstance(one, dict) else {"source": one, "target": one} for one in compose[role]["secrets"]]
        found = read_secrets(pod)
        # Here the access key is a secret too, and the web app signs people in.
        extra = {"tripdeck_s3_access_key"} & set(found) | ({"tripdeck_sign_in.toml"} if role == "ui" else set())
        assert {path: key for path, key in found.items() if path not in extra} == {one["target"]: one["source"] for one in given}
    made = set(make_secrets(tmp_path / "made"))
    assert {key for _, pod in list_pods(objects) for key in read_secrets(pod).values()} - made == {
        "tripdeck_s3_access_key",
        "tripdeck_sign_in.toml",
    }


def test_pods_are_hardened_and_get_no_names_of_services(objects: list[dict[str, Any]]) -> None:
    pods = dict(list_pods(objects))
    assert set(pods) == {*ROLES, "migrate", "bucket"}
    for pod in pods.values():
        assert pod["enableServiceLinks"] is False  # TRIPDECK_HUB_PORT=tcp://… would be taken for a setting
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert container["resources"]["limits"]["memory"]


def test_commands_are_those_of_compose(objects: list[dict[str, Any]]) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert {role: pod["containers"][0]["command"] for role, pod in list_pods(objects)} == {
        role: compose[role]["command"] for role in (*ROLES, "migrate", "bucket")
    }


def test_schema_and_bucket_come_before_every_release(objects: list[dict[str, Any]]) -> None:
    for role in ("migrate", "bucket"):
        annotations = pick_object(objects, "Job", role)["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "before-hook-creation" in annotations["helm.sh/hook-delete-policy"]  # a job can't be changed


def test_the_ingress_leads_to_pods_that_listen_and_not_to_metrics(objects: list[dict[str, Any]]) -> None:
    [ingress] = [found for found in objects if found["kind"] == "Ingress"]
    services = {found["metadata"]["name"]: found["spec"] for found in objects if found["kind"] == "Service"}
    pods = dict(list_pods(objects))
    paths = {rule["host"]: rule["http"]["paths"] for rule in ingress["spec"]["rules"]}
    assert set(paths) == set(ingress["spec"]["tls"][0]["hosts"])
    for path in (path for some in paths.values() for path in some):
        service = services[path["backend"]["service"]["name"]]
        [port] = service["ports"]
        listening = pods[service["selector"]["app.kubernetes.io/component"]]["containers"][0]["ports"]
        assert (port["name"], port["port"]) in [(one["name"], one["containerPort"]) for one in listening]
    api = {path["path"]: path["pathType"] for path in paths["api.tripdeck.example.com"]}
    assert api == {"/api": "Prefix", "/ws": "Prefix", "/docs": "Exact", "/openapi.json": "Exact", "/healthz": "Exact"}


def test_every_role_is_spread_and_keeps_pods_through_drains(objects: list[dict[str, Any]]) -> None:
    for role in ROLES:
        selector = pick_object(objects, "Deployment", role)["spec"]["selector"]
        spread = dict(list_pods(objects))[role]["topologySpreadConstraints"]
        assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert all(one["labelSelector"] == selector for one in spread)
        budget = pick_object(objects, "PodDisruptionBudget", role)["spec"]
        assert (budget["selector"], budget["maxUnavailable"]) == (selector, 1)


def test_metrics_are_reached_by_monitoring_and_autoscaling_only(objects: list[dict[str, Any]]) -> None:
    def list_sources(role: str) -> list[dict[str, Any]]:
        [rule] = pick_object(objects, "NetworkPolicy", role)["spec"]["ingress"]
        return [*rule["from"], *rule["ports"]]

    def select(namespace: str) -> dict[str, Any]:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}

    ui = {"podSelector": pick_object(objects, "Deployment", "ui")["spec"]["selector"]}
    assert list_sources("hub") == [*map(select, ("ingress", "monitoring", "keda")), ui, {"protocol": "TCP", "port": 8600}]
    assert list_sources("worker") == [select("monitoring"), {"protocol": "TCP", "port": 8610}]
    assert list_sources("ui") == [select("ingress"), {"protocol": "TCP", "port": 8501}]
    for role in (*ROLES, "migrate", "bucket"):
        assert pick_object(objects, "NetworkPolicy", role)["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_workers_are_scaled_by_a_metric_that_the_hub_exports(objects: list[dict[str, Any]]) -> None:
    from loader.telemetry.backlog import GAUGES

    [trigger] = pick_object(objects, "ScaledObject", "worker")["spec"]["triggers"]
    assert trigger["metadata"]["valueLocation"] in GAUGES
    assert trigger["metadata"]["url"] == "http://tripdeck-hub.trips:8600/metrics"
    [by_prometheus] = pick_object(render_chart(EVERYTHING), "ScaledObject", "worker")["spec"]["triggers"]
    assert any(f"max({name}{{" in by_prometheus["metadata"]["query"] for name in GAUGES)
    assert "replicas" not in pick_object(objects, "Deployment", "worker")["spec"]  # an upgrade would undo the scaling
