"""Settings as environment variables, for the processes that are started with them."""

import json
import os
from collections.abc import Mapping

from pydantic import SecretStr

from shared.settings import PREFIX, Settings


def make_environment(settings: Settings, *, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The base environment (ours when not given) with every setting that is set; other TRIPDECK_ names are dropped."""
    inherited = os.environ if base is None else base
    kept = {name: value for name, value in inherited.items() if not name.startswith(PREFIX)}
    return kept | {
        PREFIX + name.upper(): _to_text(getattr(settings, name))
        for name in Settings.model_fields
        if getattr(settings, name) is not None
    }


def _to_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, (tuple, list)):
        return json.dumps(value)
    return str(value)
