"""The network: public subnets for the load balancer alone, private ones for tasks, isolated ones for data."""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2

from infra.aws.config import Config

POSTGRES, REDIS, HUB, UI = 5432, 6379, 8600, 8501


@dataclass(frozen=True)
class Network:
    """The VPC, and who may speak to whom."""

    vpc: ec2.Vpc
    balancer: ec2.SecurityGroup
    hub: ec2.SecurityGroup
    worker: ec2.SecurityGroup
    ui: ec2.SecurityGroup
    database: ec2.SecurityGroup
    redis: ec2.SecurityGroup


def make_network(stack: Stack, config: Config) -> Network:
    """Make the VPC and the security groups. Traffic to the object store stays inside AWS."""
    kind = ec2.SubnetType
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        max_azs=2,
        nat_gateways=config.nat_gateways,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="public", subnet_type=kind.PUBLIC, cidr_mask=22, map_public_ip_on_launch=False),
            ec2.SubnetConfiguration(name="tasks", subnet_type=kind.PRIVATE_WITH_EGRESS, cidr_mask=22),
            ec2.SubnetConfiguration(name="data", subnet_type=kind.PRIVATE_ISOLATED, cidr_mask=22),
        ],
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
    )
    vpc.add_flow_log("Rejected", traffic_type=ec2.FlowLogTrafficType.REJECT)
    groups = {name: _make_group(stack, vpc, name) for name in ("balancer", "hub", "worker", "ui", "database", "redis")}
    network = Network(vpc, **groups)
    for port in (80, 443):
        network.balancer.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "browsers and programs")
    network.hub.add_ingress_rule(network.balancer, ec2.Port.tcp(HUB), "load balancer")
    network.hub.add_ingress_rule(network.ui, ec2.Port.tcp(HUB), "web app")
    network.ui.add_ingress_rule(network.balancer, ec2.Port.tcp(UI), "load balancer")
    for name in ("hub", "worker", "ui"):
        network.database.add_ingress_rule(groups[name], ec2.Port.tcp(POSTGRES), name)
    for name in ("hub", "worker"):
        network.redis.add_ingress_rule(groups[name], ec2.Port.tcp(REDIS), name)
    return network


def _make_group(stack: Stack, vpc: ec2.Vpc, name: str) -> ec2.SecurityGroup:
    # Databases never call out; tasks do: registry, secrets, sign-in provider.
    is_data = name in ("database", "redis")
    return ec2.SecurityGroup(
        stack, f"{name.title()}Group", vpc=vpc, description=f"Tripdeck {name}", allow_all_outbound=not is_data
    )
