"""Webhooks: register, list, remove and test addresses, and list what was sent to them."""

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.paging import make_next
from loader.hub.api.params import DeliveriesParams, NewWebhookBody, NoParams, WebhookParams
from loader.hub.api.responses import DeliveriesResponse, DeliveryResponse, NewWebhookResponse, WebhooksResponse
from loader.webhooks.registry import add_webhook, list_deliveries, list_webhooks, remove_webhook, send_test


class WebhooksHandler(ApiHandler):
    """The registered webhooks: GET and POST /webhooks."""

    @Operation("Webhooks", id="list_webhooks", response=WebhooksResponse, scope="write")
    async def get(self, params: NoParams) -> None:
        """Respond with the webhooks; their URLs may hold secrets of the receivers."""
        self.respond({"webhooks": await self.services.executors.records.run(list_webhooks, self.services.engine)})

    @Operation(
        "Register an address that hears of the end of loads",
        id="add_webhook",
        body=NewWebhookBody,
        response=NewWebhookResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: NoParams, body: NewWebhookBody) -> None:
        """Register the address."""
        services = self.services
        # The name of a host may take seconds to resolve: not among the quick records.
        added = await services.executors.transfers.run(
            add_webhook, services.engine, body.url, body.states, settings=services.settings
        )
        self.respond(added, status=201)


class WebhookHandler(ApiHandler):
    """One webhook: DELETE /webhooks/{webhook_id}."""

    @Operation("Remove a webhook with its deliveries", id="remove_webhook", params=WebhookParams, status=204, scope="write")
    async def delete(self, params: WebhookParams) -> None:
        """Remove the webhook."""
        await self.services.executors.records.run(remove_webhook, self.services.engine, params.webhook_id)
        self.set_status(204)


class WebhookTestHandler(ApiHandler):
    """A test message: POST /webhooks/{webhook_id}/test."""

    @Operation(
        "Send a test message to a webhook",
        id="test_webhook",
        params=WebhookParams,
        response=DeliveryResponse,
        status=202,
        scope="write",
    )
    async def post(self, params: WebhookParams) -> None:
        """Queue the message."""
        queued = await self.services.executors.records.run(send_test, self.services.engine, params.webhook_id)
        self.respond(queued, status=202)


class DeliveriesHandler(ApiHandler):
    """What was sent to a webhook: GET /webhooks/{webhook_id}/deliveries."""

    @Operation(
        "Deliveries to a webhook, newest first",
        id="list_deliveries",
        params=DeliveriesParams,
        response=DeliveriesResponse,
        scope="write",
    )
    async def get(self, params: DeliveriesParams) -> None:
        """Respond with a page."""
        found = await self.services.executors.records.run(
            list_deliveries, self.services.engine, params.webhook_id, before=params.before, limit=params.limit + 1
        )
        following = {"before": found[params.limit - 1]["delivery_id"]} if len(found) > params.limit else None
        path = f"/api/v1/webhooks/{params.webhook_id}/deliveries"
        self.respond({"deliveries": found[: params.limit], "next": make_next(path, params, following)})
