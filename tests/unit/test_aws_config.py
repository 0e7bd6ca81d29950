"""What a deployment on AWS chooses, read from the context."""

from typing import Any

import pytest

from infra.aws.config import Config
from shared.platform.errors import SettingsError

REQUIRED: dict[str, Any] = {
    "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
    "sign_in_secret_arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sign-in-AbCdEf",
    "ui_host": "trips.example.com",
    "api_host": "api.trips.example.com",
    "region": "eu-central-1",
}


def test_numbers_come_as_text_from_the_command_line() -> None:
    config = Config.from_context({**REQUIRED, "workers_most": "16"}.get)
    assert (config.workers_most, config.workers_least, config.ui_host) == (16, 1, "trips.example.com")


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Config.from_context({**REQUIRED, name: None}.get)


def test_a_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingsError, match="workers_most must be a number, not many"):
        Config.from_context({**REQUIRED, "workers_most": "many"}.get)
