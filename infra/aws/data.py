"""What lasts: PostgreSQL, the bucket, Redis, their secrets and backups. None of it goes with the stack."""

from dataclasses import dataclass

from aws_cdk import Duration, Fn, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.aws.config import Config
from infra.aws.network import POSTGRES, REDIS, Network

DATABASE, USER = "tripdeck", "tripdeck"
# As docker-compose.yml sets them; a vanished peer keeps its locks for 10 + 3 * 5 s.
_PARAMETERS = {
    "rds.force_ssl": "1",
    "timezone": "UTC",
    "jit": "0",
    "wal_compression": "1",
    "max_wal_size": "4096",  # MB
    "checkpoint_timeout": "900",  # seconds
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


@dataclass(frozen=True)
class Data:
    """Where tasks find things. redis_url: a secret that holds the URL with its token."""

    key: kms.Key
    database: rds.DatabaseInstance
    bucket: s3.Bucket
    redis: elasticache.CfnReplicationGroup
    redis_url: secretsmanager.Secret
    hub_secret: secretsmanager.Secret

    @property
    def database_url(self) -> str:
        """The URL without the password, which tasks get as PGPASSWORD."""
        return f"postgresql+psycopg://{USER}@{self.database.db_instance_endpoint_address}:{POSTGRES}/{DATABASE}?sslmode=require"


def make_data(stack: Stack, config: Config, network: Network) -> Data:
    """Make the services and their backups."""
    key = kms.Key(stack, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.RETAIN, description="Tripdeck")
    redis, redis_url = _make_redis(stack, config, network, key=key)
    hub_secret = _make_secret(stack, "HubSecret", key)
    data = Data(key, _make_database(stack, config, network, key=key), _make_bucket(stack, config), redis, redis_url, hub_secret)
    _plan_backups(stack, config, data)
    return data


def _make_secret(stack: Stack, name: str, key: kms.Key) -> secretsmanager.Secret:
    generated = secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=64)
    return secretsmanager.Secret(
        stack, name, encryption_key=key, generate_secret_string=generated, removal_policy=RemovalPolicy.RETAIN
    )


def _make_database(stack: Stack, config: Config, network: Network, *, key: kms.Key) -> rds.DatabaseInstance:
    engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3)
    return rds.DatabaseInstance(
        stack,
        "Database",
        engine=engine,
        instance_type=ec2.InstanceType(config.database_class),
        vpc=network.vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        security_groups=[network.database],
        publicly_accessible=False,
        multi_az=True,
        database_name=DATABASE,
        credentials=rds.Credentials.from_generated_secret(USER, encryption_key=key, exclude_characters="/@\"'\\ "),
        parameters=_PARAMETERS,
        storage_type=rds.StorageType.GP3,
        allocated_storage=config.database_gib,
        max_allocated_storage=config.database_gib_most,
        storage_encrypted=True,
        storage_encryption_key=key,
        backup_retention=Duration.days(config.backup_days),
        copy_tags_to_snapshot=True,
        deletion_protection=True,
        removal_policy=RemovalPolicy.SNAPSHOT,
        auto_minor_version_upgrade=True,
        cloudwatch_logs_exports=["postgresql"],
        enable_performance_insights=True,
        performance_insight_encryption_key=key,
    )


def _make_bucket(stack: Stack, config: Config) -> s3.Bucket:
    """Make the bucket of uploaded files. Browsers send parts to signed URLs, and need their ETags."""
    cors = s3.CorsRule(
        allowed_methods=[s3.HttpMethods.PUT],
        allowed_origins=[f"https://{config.ui_host}"],
        allowed_headers=["*"],
        exposed_headers=["ETag"],
        max_age=3600,
    )
    return s3.Bucket(
        stack,
        "Files",
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,  # AWS Backup asks for it
        cors=[cors],
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(7), noncurrent_version_expiration=Duration.days(30)
            )
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )


def _make_redis(
    stack: Stack, config: Config, network: Network, *, key: kms.Key
) -> tuple[elasticache.CfnReplicationGroup, secretsmanager.Secret]:
    subnets = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids
    group = elasticache.CfnSubnetGroup(stack, "RedisSubnets", description="Tripdeck", subnet_ids=subnets)
    # Messages and events must not be evicted; what is lost all the same is sent again from the database.
    parameters = elasticache.CfnParameterGroup(
        stack,
        "RedisParameters",
        cache_parameter_group_family="valkey8",
        description="Tripdeck",
        properties={"maxmemory-policy": "noeviction"},
    )
    token = _make_secret(stack, "RedisToken", key).secret_value.unsafe_unwrap()
    redis = elasticache.CfnReplicationGroup(
        stack,
        "Redis",
        replication_group_description="Tripdeck",
        engine="valkey",
        engine_version="8.1",
        cache_node_type=config.redis_class,
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
        at_rest_encryption_enabled=True,
        transit_encryption_enabled=True,
        kms_key_id=key.key_arn,
        auth_token=token,
        port=REDIS,
        cache_parameter_group_name=parameters.ref,
        cache_subnet_group_name=group.ref,
        security_group_ids=[network.redis.security_group_id],
        auto_minor_version_upgrade=True,
    )
    url = Fn.join("", ["rediss://:", token, "@", redis.attr_primary_end_point_address, f":{REDIS}/0"])
    return redis, secretsmanager.Secret(
        stack, "RedisUrl", encryption_key=key, secret_string_value=SecretValue.unsafe_plain_text(url)
    )


def _plan_backups(stack: Stack, config: Config, data: Data) -> None:
    """Have database and bucket copied each night, besides the database's own recovery to any second."""
    vault = backup.BackupVault(stack, "Vault", encryption_key=data.key, removal_policy=RemovalPolicy.RETAIN)
    plan = backup.BackupPlan(stack, "Backups", backup_vault=vault)
    plan.add_rule(
        backup.BackupPlanRule(
            rule_name="nightly",
            schedule_expression=events.Schedule.cron(hour="2", minute="0"),
            delete_after=Duration.days(config.backup_days),
        )
    )
    resources = [
        backup.BackupResource.from_rds_database_instance(data.database),
        backup.BackupResource.from_arn(data.bucket.bucket_arn),
    ]
    plan.add_selection("Everything", resources=resources)
