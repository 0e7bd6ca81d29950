"""What must hold of a CloudFormation template: each check lists what breaks it."""

import json
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]
# The only actions that AWS knows no resource for.
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken"}
EVERYWHERE = ("0.0.0.0/0", "::/0")


def list_resources(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and properties of a kind of resources."""
    for name, found in template["Resources"].items():
        if found["Type"] == kind:
            yield name, found.get("Properties", {})


def find_public(template: Template) -> Iterator[str]:
    """What can be reached from outside, besides the load balancer's two ports."""
    yield from _find_open_groups(template)
    for name, database in list_resources(template, "AWS::RDS::DBInstance"):
        if database.get("PubliclyAccessible") is not False:
            yield f"{name} is public"
    for name, service in list_resources(template, "AWS::ECS::Service"):
        if service["NetworkConfiguration"]["AwsvpcConfiguration"].get("AssignPublicIp") != "DISABLED":
            yield f"{name} has public addresses"
    for name, subnet in list_resources(template, "AWS::EC2::Subnet"):
        if subnet.get("MapPublicIpOnLaunch"):
            yield f"{name} gives public addresses"
    for name, bucket in list_resources(template, "AWS::S3::Bucket"):
        if set(bucket.get("PublicAccessBlockConfiguration", {}).values()) != {True}:
            yield f"{name} may be public"


def _find_open_groups(template: Template) -> Iterator[str]:
    for name, group in list_resources(template, "AWS::EC2::SecurityGroup"):
        for rule in group.get("SecurityGroupIngress", ()):
            is_open = rule.get("CidrIp") in EVERYWHERE or rule.get("CidrIpv6") in EVERYWHERE
            if is_open and not (name.startswith("BalancerGroup") and rule["FromPort"] == rule["ToPort"] in (80, 443)):
                yield f"{name} is open"
    for name, rule in list_resources(template, "AWS::EC2::SecurityGroupIngress"):
        if "SourceSecurityGroupId" not in rule:
            yield f"{name} is no group's"


def find_unencrypted(template: Template) -> Iterator[str]:
    """What is stored or sent in the clear, but to tasks behind the balancer."""
    wanted: tuple[tuple[str, str, object], ...] = (
        ("AWS::RDS::DBInstance", "StorageEncrypted", True),
        ("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled", True),
        ("AWS::ElastiCache::ReplicationGroup", "TransitEncryptionEnabled", True),
        ("AWS::S3::Bucket", "BucketEncryption", ...),
        ("AWS::SNS::Topic", "KmsMasterKeyId", ...),
        ("AWS::Backup::BackupVault", "EncryptionKeyArn", ...),
        ("AWS::SecretsManager::Secret", "KmsKeyId", ...),
    )
    for kind, name, value in wanted:
        for resource, properties in list_resources(template, kind):
            if properties.get(name) is None or (value is not ... and properties[name] != value):
                yield f"{resource} lacks {name}"
    for name, listener in list_resources(template, "AWS::ElasticLoadBalancingV2::Listener"):
        if listener["Protocol"] != "HTTPS" and [action["Type"] for action in listener["DefaultActions"]] != ["redirect"]:
            yield f"{name} is in the clear"
    parameters = [found["Parameters"] for _, found in list_resources(template, "AWS::RDS::DBParameterGroup")]
    if any(found.get("rds.force_ssl") != "1" for found in parameters):
        yield "the database takes connections in the clear"


def find_unprotected(template: Template) -> Iterator[str]:
    """What holds data or the address, and can be deleted by a slip."""
    for kind in ("AWS::RDS::DBInstance", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Backup::BackupVault"):
        for name, _ in list_resources(template, kind):
            if template["Resources"][name].get("DeletionPolicy") not in ("Retain", "Snapshot"):
                yield f"{name} goes with the stack"
    for name, database in list_resources(template, "AWS::RDS::DBInstance"):
        if not database.get("DeletionProtection") or database.get("BackupRetentionPeriod", 0) < 7:
            yield f"{name} is unprotected"
    for name, balancer in list_resources(template, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
        if attributes.get("deletion_protection.enabled") != "true":
            yield f"{name} is unprotected"


def find_broad(template: Template) -> Iterator[str]:
    """Permissions of roles for every action or every resource."""
    for name, policy in list_resources(template, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if any("*" in action for action in actions):
                yield f"{name} allows {actions}"
            if statement["Resource"] == "*" and not set(actions) <= WITHOUT_RESOURCE:
                yield f"{name} allows {actions} everywhere"
    for name, role in list_resources(template, "AWS::IAM::Role"):
        for arn in role.get("ManagedPolicyArns", ()):
            if "AWSBackup" not in json.dumps(arn):
                yield f"{name} has a managed policy"
