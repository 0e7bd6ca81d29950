"""`tripdeck token`: print a token for curl and other programs, signed with the hub's secret."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from loader.cli import options
from loader.cli.session import print_json, report_errors
from shared.platform.errors import SettingsError
from shared.platform.hub_tokens import Scope, make_token

_HOUR_S = 3_600.0
_LONGEST_HOURS = 24 * 365


def token(
    *,
    scope: Annotated[
        Scope,
        typer.Option(metavar="SCOPE", help="feed: follow loads; read: also ask questions; write: also upload and change loads."),
    ] = "write",
    hours: Annotated[float, typer.Option(min=0.01, max=_LONGEST_HOURS, metavar="H", help="Hours until it expires.")] = 24.0,
    is_json: options.AsJson = False,
) -> None:
    """Print a token for the hub: curl -H "Authorization: Bearer $(tripdeck token)" …"""
    from shared.platform.settings import load_settings

    with report_errors(is_json=is_json):
        secret = load_settings().hub_secret
        if secret is None:
            raise SettingsError("TRIPDECK_HUB_SECRET is not set: this hub asks for no token, or its secret is elsewhere.")
        made = make_token(secret.get_secret_value(), scope, lifetime_s=hours * _HOUR_S)
        if is_json:
            expires_at = datetime.fromtimestamp(int(made.split(".")[1]), UTC)
            print_json({"token": made, "scope": scope, "expires_at": expires_at.isoformat()})
        else:
            typer.echo(made)
