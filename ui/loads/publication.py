"""A load's publication: its files in the object store, and its way into an engine."""

from typing import Any, Final

import streamlit as st

from shared.loads import Load
from shared.platform.errors import NotFoundError
from shared.publications import fetch_publication
from ui.services.resources import Resources
from ui.style.error_messages import explained
from ui.style.text import escape_markdown, format_bytes, format_count, format_plural

_STATES: Final = {
    "queued": "To be published",
    "publishing": "Being published",
    "published": "Published",
    "failed": "Could not be published",
    "withdrawing": "The published files are being removed",
    "withdrawn": "The published files were removed",
}
_ENGINES: Final = {"druid": "Druid", "druid_sql": "Druid", "clickhouse": "ClickHouse"}
_HANDOVERS: Final = {
    "queued": "on its way into",
    "running": "on its way into",
    "succeeded": "in",
    "failed": "could not be handed over to",
    "undo_queued": "being removed from",
    "undoing": "being removed from",
    "undone": "removed from",
}


def render_publication(resources: Resources, load: Load) -> None:
    """Draw the publication of a load, and the button that asks for one."""
    publication = _find(resources, load["load_id"])
    with st.container(horizontal=True, vertical_alignment="center"):
        if publication is not None:
            st.caption(escape_markdown(describe_publication(publication)))
        if load["state"] == "succeeded" and load["rows_loaded"] and can_be_published(publication):
            st.button(
                "Publish",
                key=f"publish_{load['load_id']}",
                icon=":material/cloud_upload:",
                help="Write its trips as GeoParquet files into the object store. Who may read the bucket reads every trip.",
                on_click=_publish,
                args=(resources, load["load_id"]),
            )


def can_be_published(publication: dict[str, Any] | None) -> bool:
    """Whether there is something to ask for: no publication yet, or one that failed, here or on its way into an engine."""
    if publication is None or publication["state"] in ("failed", "withdrawn"):
        return True
    return publication["state"] == "published" and any(one["state"] == "failed" for one in publication["handovers"])


def describe_publication(publication: dict[str, Any]) -> str:
    """Say how a publication stands, in a line."""
    said = _STATES[publication["state"]]
    if publication["state"] == "published":
        sizes = f"{format_plural(publication['files'], 'file')}, {format_bytes(publication['bytes'])}"
        said = f"{said}: {publication['folder']} ({sizes})"
    elif publication["state"] == "publishing" and publication["rows_written"]:
        said = f"{said}: {format_count(publication['rows_written'])} rows so far"
    elif publication["error_message"]:
        said = f"{said}: {publication['error_message']}"
    return " · ".join([said, *(_describe_handover(one) for one in publication["handovers"])])


def _describe_handover(handover: dict[str, Any]) -> str:
    said = f"{_HANDOVERS[handover['state']]} {_ENGINES[handover['engine']]}"
    return f"{said}: {handover['error_message']}" if handover["error_message"] else said


def _find(resources: Resources, load_id: int) -> dict[str, Any] | None:
    try:
        return fetch_publication(resources.engine, load_id, settings=resources.settings)
    except NotFoundError:
        return None


def _publish(resources: Resources, load_id: int) -> None:
    with explained():
        resources.hub.publish(load_id)
