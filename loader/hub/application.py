"""The application: every route of the hub."""

import re
from typing import Final

from tornado.web import Application, RequestHandler

from loader.hub.api.base_handler import UnknownHandler
from loader.hub.api.docs_page import render_docs
from loader.hub.api.openapi import make_openapi
from loader.hub.handlers import (
    catalog,
    feed,
    groups,
    load_actions,
    loads,
    places,
    publications,
    ready_questions,
    rejects,
    sources,
    sql,
    status,
    uploads,
    webhooks,
    weekly,
)
from loader.hub.handlers import inspection as inspect
from loader.hub.services import Services

ROUTES: Final[tuple[tuple[str, type[RequestHandler]], ...]] = (
    ("/api/v1/loads", loads.LoadsHandler),
    ("/api/v1/loads/{load_id}", loads.LoadHandler),
    ("/api/v1/loads/{load_id}/rejects", rejects.RejectsHandler),
    ("/api/v1/loads/{load_id}/cancel", load_actions.CancelHandler),
    ("/api/v1/loads/{load_id}/undo", load_actions.UndoHandler),
    ("/api/v1/loads/{load_id}/retry", load_actions.RetryHandler),
    ("/api/v1/loads/{load_id}/publication", publications.PublicationHandler),
    ("/api/v1/files/{file_name}", loads.FileHandler),
    ("/api/v1/uploads", uploads.UploadsHandler),
    ("/api/v1/uploads/{upload_id}", uploads.UploadHandler),
    ("/api/v1/uploads/{upload_id}/parts", uploads.UploadPartsHandler),
    ("/api/v1/uploads/{upload_id}/complete", uploads.CompleteUploadHandler),
    ("/api/v1/inspect", inspect.InspectHandler),
    ("/api/v1/places", places.PlaceSetsHandler),
    ("/api/v1/places/inspect", places.PlaceInspectHandler),
    ("/api/v1/places/drawn", places.DrawnSetHandler),
    ("/api/v1/places/{place_set_id}", places.PlaceSetHandler),
    ("/api/v1/places/{place_set_id}/places", places.SetPlacesHandler),
    ("/api/v1/places/{place_set_id}/places/{place_id}", places.PlaceHandler),
    ("/api/v1/readings/{header_hash}", inspect.ReadingHandler),
    ("/api/v1/sources", sources.SourcesHandler),
    ("/api/v1/sources/{source_id}", sources.SourceHandler),
    ("/api/v1/sources/{source_id}/objects", sources.SourceObjectsHandler),
    ("/api/v1/sources/{source_id}/pause", sources.PauseSourceHandler),
    ("/api/v1/sources/{source_id}/resume", sources.ResumeSourceHandler),
    ("/api/v1/sources/{source_id}/run", sources.RunSourceHandler),
    ("/api/v1/sources/{source_id}/retry", sources.RetrySourceHandler),
    ("/api/v1/webhooks", webhooks.WebhooksHandler),
    ("/api/v1/webhooks/{webhook_id}", webhooks.WebhookHandler),
    ("/api/v1/webhooks/{webhook_id}/test", webhooks.WebhookTestHandler),
    ("/api/v1/webhooks/{webhook_id}/deliveries", webhooks.DeliveriesHandler),
    ("/api/v1/events", feed.EventsHandler),
    ("/api/v1/weekly-average", weekly.WeeklyAverageHandler),
    ("/api/v1/trip-groups", groups.GroupsHandler),
    ("/api/v1/trip-groups/detail", groups.GroupHandler),
    ("/api/v1/flows", groups.FlowsHandler),
    ("/api/v1/hours", groups.HoursHandler),
    ("/api/v1/histograms", weekly.HistogramHandler),
    ("/api/v1/regions", catalog.RegionsHandler),
    ("/api/v1/datasources", catalog.DatasourcesHandler),
    ("/api/v1/questions", ready_questions.ReadyQuestionsHandler),
    ("/api/v1/questions/{name}", ready_questions.ReadyQuestionHandler),
    ("/api/v1/sql", sql.SqlHandler),
    ("/openapi.json", status.OpenApiHandler),
    ("/docs", status.DocsHandler),
    ("/healthz", status.HealthHandler),
    ("/readyz", status.ReadyHandler),
    ("/metrics", status.MetricsHandler),
    ("/ws/loads", feed.FeedHandler),
    ("/ws/loads/{load_id}", feed.FeedHandler),
)


def make_application(services: Services) -> Application:
    """Return the application over the process's services."""
    document = make_openapi(ROUTES)
    return Application(
        [(_make_pattern(route), handler, {"services": services, "route": route}) for route, handler in ROUTES],
        default_handler_class=UnknownHandler,
        default_handler_args={"services": services, "route": "unknown"},
        access=services.access,
        openapi=document,
        docs_page=render_docs(document),
        websocket_ping_interval=feed.PING_S,
        websocket_ping_timeout=feed.PING_S,
        websocket_max_message_size=feed.MAX_MESSAGE_BYTES,
        log_function=_log_nothing,
    )


def _make_pattern(route: str) -> str:
    return re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", route)


def _log_nothing(_handler: RequestHandler) -> None:
    """Handlers log what went wrong and count the rest."""
