"""What is watched: metrics from the hub's log, autoscaling by them, alarms."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from infra.aws.config import Config
from infra.aws.data import Data
from infra.aws.services import Services

NAMESPACE = "Tripdeck"
# Fields of the hub's log line about the backlog, which comes each minute.
BACKLOG_FIELDS = ("work_pending", "oldest_waiting_s", "unrelayed_s", "trips_uncompacted")
_MINUTE = Duration.minutes(1)


def watch(stack: Stack, config: Config, *, data: Data, services: Services) -> None:
    """Scale hubs and workers, and make the alarms."""
    backlog = {field: _make_metric(stack, services.hub_log, field) for field in BACKLOG_FIELDS}
    _scale_workers(stack, config, services)
    hubs = services.hub.auto_scale_task_count(min_capacity=config.hubs_least, max_capacity=config.hubs_most)
    hubs.scale_on_cpu_utilization("Cpu", target_utilization_percent=60, scale_in_cooldown=Duration.minutes(5))
    topic = _make_topic(stack, config, data)
    for name, alarm in _list_alarms(data, services, backlog).items():
        alarm.create_alarm(
            stack,
            f"{name}Alarm",
            alarm_description=f"Tripdeck: {name}",
            **_LIMITS[name],
        ).add_alarm_action(actions.SnsAction(topic))


def _make_metric(stack: Stack, log: logs.LogGroup, field: str) -> cloudwatch.Metric:
    """Make a metric of a field of the hub's log line; hubs say the same, so that the largest counts."""
    found = logs.MetricFilter(
        stack,
        f"Backlog{field.title().replace('_', '')}",
        log_group=log,
        filter_pattern=logs.FilterPattern.string_value("$.message", "=", "backlog"),
        metric_namespace=NAMESPACE,
        metric_name=field,
        metric_value=f"$.{field}",
    )
    return found.metric(statistic="Maximum", period=_MINUTE)


def _scale_workers(stack: Stack, config: Config, services: Services) -> None:
    """Keep the pending work of each running worker near a target; it takes 15 minutes of less before one goes."""
    cluster, service = services.worker.cluster.cluster_name, services.worker.service_name
    target = scaling.ScalableTarget(
        stack,
        "Workers",
        service_namespace=scaling.ServiceNamespace.ECS,
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=f"service/{cluster}/{service}",
        min_capacity=config.workers_least,
        max_capacity=config.workers_most,
    )
    policy, dimension = scaling.CfnScalingPolicy, scaling.CfnScalingPolicy.TargetTrackingMetricDimensionProperty

    def ask(name: str, namespace: str, metric: str, **dimensions: str) -> Any:  # noqa: ANN401 - the construct's own
        found = policy.TargetTrackingMetricProperty(
            namespace=namespace,
            metric_name=metric,
            dimensions=[dimension(name=key, value=value) for key, value in dimensions.items()],
        )
        stat = policy.TargetTrackingMetricStatProperty(metric=found, stat="Maximum")
        return policy.TargetTrackingMetricDataQueryProperty(id=name, metric_stat=stat, return_data=False)

    queries = [
        ask("pending", NAMESPACE, "work_pending"),
        ask("running", "ECS/ContainerInsights", "RunningTaskCount", ClusterName=cluster, ServiceName=service),
        policy.TargetTrackingMetricDataQueryProperty(id="each", expression="pending / running", return_data=True),
    ]
    policy(
        stack,
        "WorkersByPendingWork",
        policy_name="tripdeck-pending-work",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.scalable_target_id,
        target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=config.pending_per_worker,
            scale_out_cooldown=120,
            scale_in_cooldown=300,
            customized_metric_specification=policy.CustomizedMetricSpecificationProperty(metrics=queries),
        ),
    )


def _make_topic(stack: Stack, config: Config, data: Data) -> sns.Topic:
    topic = sns.Topic(stack, "Alarms", master_key=data.key, enforce_ssl=True)
    data.key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    if config.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
    return topic


_SERVER_ERRORS = elbv2.HttpCodeTarget.TARGET_5XX_COUNT
_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_GIB = 2**30
_LIMITS: dict[str, dict[str, object]] = {
    # No line about the backlog: no hub, or no database.
    "BacklogUnknown": {
        "threshold": 0,
        "comparison_operator": _BELOW,
        "evaluation_periods": 5,
        "treat_missing_data": cloudwatch.TreatMissingData.BREACHING,
    },
    "OldestWaiting": {"threshold": 3600, "comparison_operator": _ABOVE, "evaluation_periods": 30},
    "EventsNotRelayed": {"threshold": 60, "comparison_operator": _ABOVE, "evaluation_periods": 5},
    "CompactionBehind": {"threshold": 40e6, "comparison_operator": _ABOVE, "evaluation_periods": 60},
    "HubErrors": {"threshold": 10, "comparison_operator": _ABOVE, "evaluation_periods": 5},
    "HubUnhealthy": {"threshold": 0, "comparison_operator": _ABOVE, "evaluation_periods": 5},
    "UiUnhealthy": {"threshold": 0, "comparison_operator": _ABOVE, "evaluation_periods": 5},
    "DatabaseCpu": {"threshold": 90, "comparison_operator": _ABOVE, "evaluation_periods": 30},
    "DatabaseStorage": {"threshold": 20 * _GIB, "comparison_operator": _BELOW, "evaluation_periods": 5},
    "RedisMemory": {"threshold": 80, "comparison_operator": _ABOVE, "evaluation_periods": 5},
}


def _list_alarms(data: Data, services: Services, backlog: dict[str, cloudwatch.Metric]) -> dict[str, cloudwatch.Metric]:
    redis = cloudwatch.Metric(
        namespace="AWS/ElastiCache",
        metric_name="DatabaseMemoryUsagePercentage",
        dimensions_map={"ReplicationGroupId": data.redis.ref},
        statistic="Maximum",
        period=_MINUTE,
    )
    return {
        "BacklogUnknown": backlog["work_pending"],
        "OldestWaiting": backlog["oldest_waiting_s"],
        "EventsNotRelayed": backlog["unrelayed_s"],
        "CompactionBehind": backlog["trips_uncompacted"],
        "HubErrors": services.hub_target.metrics.http_code_target(_SERVER_ERRORS, period=_MINUTE),
        "HubUnhealthy": services.hub_target.metrics.unhealthy_host_count(period=_MINUTE),
        "UiUnhealthy": services.ui_target.metrics.unhealthy_host_count(period=_MINUTE),
        "DatabaseCpu": data.database.metric_cpu_utilization(period=_MINUTE),
        "DatabaseStorage": data.database.metric_free_storage_space(period=_MINUTE),
        "RedisMemory": redis,
    }
