"""What a deployment on AWS chooses: `cdk deploy --context NAME=VALUE`, or the context in cdk.json."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

from shared.platform.errors import SettingsError

_REQUIRED = ("certificate_arn", "sign_in_secret_arn", "ui_host", "api_host", "region")


@dataclass(frozen=True)
class Config:
    """Names, addresses and sizes. Sizes: docs/cloud.md says where each comes from.

    certificate_arn: of both hosts, in ACM and this region. sign_in_secret_arn: a secret whose text is the section [auth] of the
    OpenID Connect provider. loader_image, ui_image: names of ECR repositories.
    """

    certificate_arn: str
    sign_in_secret_arn: str
    ui_host: str
    api_host: str
    region: str
    alarm_email: str = ""
    loader_image: str = "tripdeck-loader"
    ui_image: str = "tripdeck-ui"
    image_tag: str = version("tripdeck")
    nat_gateways: int = 1
    database_class: str = "m7g.xlarge"
    database_gib: int = 200
    database_gib_most: int = 2_000
    redis_class: str = "cache.t4g.small"
    hubs_least: int = 2
    hubs_most: int = 6
    workers_least: int = 1
    workers_most: int = 8
    pending_per_worker: int = 16
    uis: int = 2
    backup_days: int = 35

    @classmethod
    def from_context(cls, find: Callable[[str], Any]) -> "Config":
        """Read the context. Raises: SettingsError for what is missing or is no number."""
        given = {field.name: find(field.name) for field in fields(cls)}
        lacking = [name for name in _REQUIRED if not given[name]]
        if lacking:
            raise SettingsError(f"The context lacks {', '.join(lacking)}: cdk deploy --context NAME=VALUE.")
        chosen = {name: value for name, value in given.items() if value is not None}
        for field in fields(cls):
            if field.type is int and field.name in chosen:
                chosen[field.name] = _parse_count(field.name, chosen[field.name])
        return cls(**chosen)


def _parse_count(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {value}.") from error
