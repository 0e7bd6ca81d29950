"""`tripdeck webhook`: addresses that hear of the end of loads."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from loader.cli import options
from loader.cli.session import FAILED, connect_hub, print_json, report_errors
from shared.platform.errors import TransientError

if TYPE_CHECKING:
    from loader.cli.client import HubClient, Json

webhook = typer.Typer(
    name="webhook",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Addresses that hear of the end of loads: add, list, test and remove them, and list what was sent.",
)

_Number = Annotated[int, typer.Argument(metavar="WEBHOOK", min=1, help="Number of the webhook.")]
# Beyond one attempt and the second until a worker sees it.
_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.5


@webhook.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent by POST; https.")],
    *,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="succeeded, failed, cancelled or undone; repeatable. Without it all."),
    ] = None,
    is_json: options.AsJson = False,
) -> None:
    """Register an address. Its secret, for checking signatures, is shown this once."""
    with report_errors(is_json=is_json), connect_hub() as client:
        added = client.post("/api/v1/webhooks", body=json.dumps({"url": url, "states": states or []}).encode())
        if is_json:
            print_json(added)
            return
        from loader.cli.tables import print_line

        print_line(f"webhook {added['webhook_id']}: {added['url']}, {', '.join(added['states'])}")
        print_line(f"secret: {added['secret']}")
        print_line("The secret is not shown again.")


@webhook.command("list")
def list_all(is_json: options.AsJson = False) -> None:
    """List the addresses with their deliveries."""
    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get("/api/v1/webhooks")
        if is_json:
            print_json(answer)
            return
        from loader.cli.tables import Column, format_instant, print_table

        counts = ("delivered", "pending", "failed")
        columns = [Column("webhook", is_number=True), Column("URL"), Column("states")]
        columns += [*(Column(name, is_number=True) for name in counts), Column("last delivered")]
        rows = [
            (
                each["webhook_id"],
                each["url"],
                each["states"],
                *(each[name] for name in counts),
                format_instant(each["delivered_at"]),
            )
            for each in answer["webhooks"]
        ]
        print_table(columns, rows)


@webhook.command()
def remove(webhook_id: _Number) -> None:
    """Remove an address; what waits for it is not sent any more."""
    with report_errors(), connect_hub() as client:
        client.delete(f"/api/v1/webhooks/{webhook_id}")


@webhook.command("test")
def send_test(webhook_id: _Number, *, is_json: options.AsJson = False) -> None:
    """Send a test message, and say what the receiver answered; exit status 1 when it did not arrive."""
    with report_errors(is_json=is_json), connect_hub() as client:
        queued = client.post(f"/api/v1/webhooks/{webhook_id}/test")
        found = _wait(client, webhook_id, queued["delivery_id"])
        if is_json:
            print_json(found)
        else:
            _print_deliveries([found])
        if found["state"] != "delivered":
            raise SystemExit(FAILED)


@webhook.command()
def deliveries(
    webhook_id: _Number,
    *,
    limit: options.Limit = 20,
    before: Annotated[int | None, typer.Option(min=1, metavar="N", help="Deliveries older than this one.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """List the newest messages to an address."""
    with report_errors(is_json=is_json), connect_hub() as client:
        answer = client.get(f"/api/v1/webhooks/{webhook_id}/deliveries", limit=limit, before=before)
        if is_json:
            print_json(answer)
        else:
            _print_deliveries(answer["deliveries"])


def _wait(client: "HubClient", webhook_id: int, delivery_id: int) -> "Json":
    """Wait for the first attempt. Raises: TransientError when no worker makes it."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        page = client.get(f"/api/v1/webhooks/{webhook_id}/deliveries", limit=1, before=delivery_id + 1)
        [found] = page["deliveries"]
        if found["state"] != "pending" or found["error_message"]:
            answered: Json = found
            return answered
        time.sleep(_LOOK_S)
    raise TransientError(f"No worker has sent the message within {_PATIENCE_S:.0f} s; it is sent when one runs.")


def _print_deliveries(found: "list[Json]") -> None:
    from loader.cli.tables import Column, format_instant, print_table

    columns = [Column("message"), Column("type"), Column("load"), Column("state"), Column("attempts", is_number=True)]
    columns += [Column("status"), Column("created"), Column("next attempt"), Column("note")]
    rows = [
        (
            each["message_id"],
            each["type"],
            each["load_id"],
            each["state"],
            each["attempts"],
            each["status"],
            format_instant(each["created_at"]),
            format_instant(each["due_at"]),
            each["error_message"] or "",
        )
        for each in found
    ]
    print_table(columns, rows)
