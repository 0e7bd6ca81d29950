"""The processes on Fargate, and how browsers and programs reach them."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_servicediscovery as servicediscovery

from infra.aws.config import Config
from infra.aws.data import Data
from infra.aws.network import HUB, UI, Network

_NAMESPACE = "tripdeck.internal"
# CPU units and MiB of a task; docs/cloud.md says where they come from.
_SIZES = {"hub": (1024, 3072), "worker": (1024, 2048), "ui": (1024, 2048)}
# Objects of uploads, parts of packed files and rejects; nothing about the bucket itself but whether it is there.
_OBJECT_ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
_BUCKET_ACTIONS = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]
# A rule takes five values; /metrics and /readyz are in none.
_API_PATHS = (("/api/*", "/ws/*"), ("/docs", "/openapi.json", "/healthz"))


@dataclass(frozen=True)
class Services:
    """The services, their logs and the load balancer."""

    hub: ecs.FargateService
    worker: ecs.FargateService
    ui: ecs.FargateService
    hub_log: logs.LogGroup
    worker_log: logs.LogGroup
    balancer: elbv2.ApplicationLoadBalancer
    hub_target: elbv2.ApplicationTargetGroup
    ui_target: elbv2.ApplicationTargetGroup


class TaskMaker:
    """Makes task definitions: one container, and before a hub's the migration, which is safe to repeat."""

    def __init__(self, stack: Stack, config: Config, data: Data) -> None:
        self._stack, self._config, self._data = stack, config, data
        self.logs: dict[str, logs.LogGroup] = {}

    def make(self, role: str) -> ecs.FargateTaskDefinition:
        """Make the task definition of a role, and its log."""
        cpu, memory_mib = _SIZES[role]
        task = ecs.FargateTaskDefinition(
            self._stack,
            f"{role.title()}Task",
            cpu=cpu,
            memory_limit_mib=memory_mib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        self.logs[role] = logs.LogGroup(
            self._stack,
            f"{role.title()}Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.RETAIN,
        )
        container = self._add_container(task, role, [f"tripdeck-{role}"])
        if role == "hub":
            migrate = self._add_container(task, "migrate", ["tripdeck-migrate"], is_essential=False)
            done = ecs.ContainerDependency(container=migrate, condition=ecs.ContainerDependencyCondition.SUCCESS)
            container.add_container_dependencies(done)
        if role != "worker":
            container.add_port_mappings(ecs.PortMapping(container_port=HUB if role == "hub" else UI))
        if role != "ui":
            self._allow_objects(task.task_role)
        return task

    def _add_container(
        self, task: ecs.FargateTaskDefinition, role: str, command: list[str], *, is_essential: bool = True
    ) -> ecs.ContainerDefinition:
        name = self._config.ui_image if role == "ui" else self._config.loader_image
        repository = ecr.Repository.from_repository_name(self._stack, f"{role.title()}Image", name)
        if role == "ui":  # Fargate gives secrets as variables only
            command = ["sh", "-c", 'umask 077; printf %s "$SIGN_IN" > /tmp/sign_in.toml; unset SIGN_IN; exec tripdeck-ui']
        log = self.logs.get(role) or self.logs["hub"]
        return task.add_container(
            role.title(),
            container_name=role,
            image=ecs.ContainerImage.from_ecr_repository(repository, self._config.image_tag),
            command=command,
            essential=is_essential,
            environment=self._make_environment(role),
            secrets=self._pick_secrets(role),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=role, log_group=log),
            stop_timeout=Duration.seconds(60),  # a worker finishes its batch, a hub its requests
            linux_parameters=ecs.LinuxParameters(self._stack, f"{role.title()}Init", init_process_enabled=True),
            health_check=_check_health(role),
        )

    def _make_environment(self, role: str) -> dict[str, str]:
        config, region = self._config, self._config.region
        common = {
            "TRIPDECK_DATABASE_URL": self._data.database_url,
            "TRIPDECK_S3_ENDPOINT": f"https://s3.{region}.amazonaws.com",
            "TRIPDECK_S3_REGION": region,
            "TRIPDECK_S3_BUCKET": self._data.bucket.bucket_name,
            "TRIPDECK_S3_ACCESS_KEY": "",  # the task's role
            "TRIPDECK_API_URL": f"http://hub.{_NAMESPACE}:{HUB}",
            "TRIPDECK_API_PUBLIC_URL": f"https://{config.api_host}",
            "TRIPDECK_ALLOWED_ORIGINS": f'["https://{config.ui_host}"]',
            "TRIPDECK_DATA_DIR": "/tmp",  # noqa: S108 - a container's own
            "TRIPDECK_LOG_FORMAT": "json",
        }
        own = {
            "hub": {"TRIPDECK_HUB_HOST": "0.0.0.0"},  # noqa: S104 - behind its security group
            "ui": {"TRIPDECK_UI_HOST": "0.0.0.0", "TRIPDECK_SIGN_IN_FILE": "/tmp/sign_in.toml", "HOME": "/tmp"},  # noqa: S104, S108
        }
        return {**common, **own.get(role, {})}

    def _pick_secrets(self, role: str) -> dict[str, ecs.Secret]:
        secret, data = ecs.Secret.from_secrets_manager, self._data
        needed = {"PGPASSWORD": secret(data.database.secret, "password")}
        if role in ("hub", "worker"):
            needed["TRIPDECK_REDIS_URL"] = secret(data.redis_url)
        if role in ("hub", "ui"):
            needed["TRIPDECK_HUB_SECRET"] = secret(data.hub_secret)
        if role == "ui":
            given = secretsmanager.Secret.from_secret_complete_arn(self._stack, "SignIn", self._config.sign_in_secret_arn)
            needed["SIGN_IN"] = secret(given)
        return needed

    def _allow_objects(self, role: iam.IRole) -> None:
        bucket = self._data.bucket
        role.add_to_principal_policy(iam.PolicyStatement(actions=_OBJECT_ACTIONS, resources=[bucket.arn_for_objects("*")]))
        role.add_to_principal_policy(iam.PolicyStatement(actions=_BUCKET_ACTIONS, resources=[bucket.bucket_arn]))


def make_services(stack: Stack, config: Config, *, network: Network, data: Data) -> Services:
    """Make the services behind one load balancer."""
    cluster = ecs.Cluster(stack, "Cluster", vpc=network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
    cluster.add_default_cloud_map_namespace(name=_NAMESPACE, type=servicediscovery.NamespaceType.DNS_PRIVATE)
    maker = TaskMaker(stack, config, data)

    def make(role: str, count: int | None = None, **options: Any) -> ecs.FargateService:  # noqa: ANN401 - the construct's own
        return ecs.FargateService(
            stack,
            role.title(),
            cluster=cluster,
            task_definition=maker.make(role),
            desired_count=count,
            security_groups=[getattr(network, role)],
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            assign_public_ip=False,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            **options,
        )

    in_dns = ecs.CloudMapOptions(name="hub", dns_ttl=Duration.seconds(10))
    grace = Duration.minutes(3)
    hub = make("hub", cloud_map_options=in_dns, health_check_grace_period=grace)
    worker = make("worker")
    ui = make("ui", config.uis, health_check_grace_period=grace)
    balancer, listener = _make_balancer(stack, config, network)
    hub_target = _make_target(stack, network, "Hub", port=HUB, path="/healthz", service=hub)
    ui_target = _make_target(stack, network, "Ui", port=UI, path="/_stcore/health", service=ui)
    _route(listener, config, hub=hub_target, ui=ui_target)
    return Services(hub, worker, ui, maker.logs["hub"], maker.logs["worker"], balancer, hub_target, ui_target)


def _check_health(role: str) -> ecs.HealthCheck | None:
    if role == "migrate":
        return None
    command = ["CMD", "python", "-m", "infra.probe", role]
    limits = {"interval": Duration.seconds(30), "timeout": Duration.seconds(15), "start_period": Duration.seconds(120)}
    return ecs.HealthCheck(command=command, retries=4, **limits)


def _make_balancer(
    stack: Stack, config: Config, network: Network
) -> tuple[elbv2.ApplicationLoadBalancer, elbv2.ApplicationListener]:
    balancer = elbv2.ApplicationLoadBalancer(
        stack,
        "Balancer",
        vpc=network.vpc,
        internet_facing=True,
        security_group=network.balancer,
        deletion_protection=True,
        drop_invalid_header_fields=True,
        # Longer than the feed's pings (20 s) and than a planned pause of a slow upload.
        idle_timeout=Duration.minutes(10),
    )
    access_logs = s3.Bucket(
        stack,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
        removal_policy=RemovalPolicy.RETAIN,
    )
    balancer.log_access_logs(access_logs)
    balancer.add_redirect()
    listener = balancer.add_listener(
        "Https",
        port=443,
        open=False,
        certificates=[elbv2.ListenerCertificate.from_arn(config.certificate_arn)],
        ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
        default_action=elbv2.ListenerAction.fixed_response(404),
    )
    return balancer, listener


def _make_target(
    stack: Stack, network: Network, name: str, *, port: int, path: str, service: ecs.FargateService
) -> elbv2.ApplicationTargetGroup:
    """Make a target group. A web app's session lives in one process: the browser comes back to it for a day."""
    target = elbv2.ApplicationTargetGroup(
        stack,
        f"{name}Target",
        vpc=network.vpc,
        port=port,
        protocol=elbv2.ApplicationProtocol.HTTP,
        target_type=elbv2.TargetType.IP,
        deregistration_delay=Duration.seconds(30),
        health_check=elbv2.HealthCheck(path=path, interval=Duration.seconds(15), timeout=Duration.seconds(6)),
        stickiness_cookie_duration=Duration.days(1) if name == "Ui" else None,
    )
    service.attach_to_application_target_group(target)
    return target


def _route(
    listener: elbv2.ApplicationListener,
    config: Config,
    *,
    hub: elbv2.ApplicationTargetGroup,
    ui: elbv2.ApplicationTargetGroup,
) -> None:
    at_ui = elbv2.ListenerCondition.host_headers([config.ui_host])
    listener.add_action("UiRule", priority=10, conditions=[at_ui], action=elbv2.ListenerAction.forward([ui]))
    for number, paths in enumerate(_API_PATHS):
        at_api = elbv2.ListenerCondition.host_headers([config.api_host])
        on_paths = elbv2.ListenerCondition.path_patterns(list(paths))
        action = elbv2.ListenerAction.forward([hub])
        listener.add_action(f"ApiRule{number}", priority=20 + number, conditions=[at_api, on_paths], action=action)
