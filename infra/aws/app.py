"""The CDK app: cd infra/aws && cdk deploy --context region=… --context certificate_arn=… (docs/cloud.md)."""

import sys

from aws_cdk import App, CfnOutput, Environment, Stack, Tags

from infra.aws.config import Config
from infra.aws.data import make_data
from infra.aws.network import make_network
from infra.aws.services import make_services
from infra.aws.watching import watch
from shared.platform.errors import SettingsError

_FLAGS = {
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
    # A deployment must not undo what autoscaling decided.
    "@aws-cdk/aws-ecs:removeDefaultDesiredCount": True,
}


def make_app(config: Config | None = None) -> App:
    """Make the app; without a config it reads the context. Raises: SettingsError."""
    app = App(analytics_reporting=False, tree_metadata=False, context=_FLAGS)
    config = config or Config.from_context(app.node.try_get_context)
    stack = Stack(app, "Tripdeck", env=Environment(region=config.region), termination_protection=True)
    network = make_network(stack, config)
    data = make_data(stack, config, network)
    services = make_services(stack, config, network=network, data=data)
    watch(stack, config, data=data, services=services)
    CfnOutput(stack, "BalancerAddress", value=services.balancer.load_balancer_dns_name, description="CNAME of both hosts")
    Tags.of(stack).add("application", "tripdeck")
    return app


def main() -> None:
    """Synthesize for the cdk command."""
    try:
        make_app().synth()
    except SettingsError as error:
        sys.exit(f"tripdeck: {error.message}")


if __name__ == "__main__":
    main()
