"""Settings as environment variables: for the processes that are started with them, and for people (.env.example).

python -m infra.environment > .env.example
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from shared.platform.settings import PREFIX, Settings

_EXAMPLE_HEAD: Final = """\
# Every setting of Tripdeck, with its default. Copy to .env and change what should differ; `make up` reads it, and so do all
# processes of docker-compose.yml, which sets the addresses of its own services and takes their secrets from .secrets/.
# Written by `python -m infra.environment`; the settings themselves are in shared/platform/settings.py.
# In containers a setting can also be a file: /run/secrets/tripdeck_database_url holds TRIPDECK_DATABASE_URL.
"""
# What docker-compose.yml reads besides: no settings of ours, so without our prefix. Name: (default, description).
COMPOSE_ONLY: Final[Mapping[str, tuple[str, str]]] = {
    "STORE_PORT": ("9000", "Only for docker-compose.yml: port of the object store on 127.0.0.1, where browsers send files."),
}


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


def make_example() -> str:
    """Text of .env.example: every setting with its description, its unit and its default, commented out."""
    blocks = [_EXAMPLE_HEAD]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else _quote(_to_text(field.default))
        blocks.append(f"# {field.description}\n#{PREFIX}{name.upper()}={default}\n")
    blocks += [f"# {text}\n#{name}={default}\n" for name, (default, text) in COMPOSE_ONLY.items()]
    return "\n".join(blocks)


def _quote(text: str) -> str:
    return f"'{text}'" if any(sign in text for sign in '" []') else text


if __name__ == "__main__":
    sys.stdout.write(make_example())
