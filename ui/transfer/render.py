"""Put the upload list and the live history of loads on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st

from ui.components.registry import get_component

T = TypeVar("T")
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HubAddress:
    """The hub as the browser reaches it, and a token where it asks for one; hand over a fresh token with every rerun."""

    url: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class LoadNews:
    """A load that began or ended; state as in events."""

    load_id: int
    state: str


@dataclass(frozen=True, slots=True)
class ShownLoad:
    """A load that somebody wants to see: its trips on the map, or its rejects."""

    load_id: int
    aim: Literal["map", "rejects"]


def render_transfers(
    *,
    key: str,
    hub: HubAddress,
    options: Mapping[str, str] | None = None,
    needs_review: bool = True,
    on_end: Callable[[LoadNews], None] | None = None,
    on_show: Callable[[ShownLoad], None] | None = None,
) -> None:
    """Render a drop zone and a row per file of this tab.

    options: how to read files (region, datasource, timezone, …), as the hub takes them; with needs_review each file is shown
    as understood, to be corrected, before its upload begins. Transfers go on while other pages are shown and after a reload.
    on_end hears each load once, when this list is on the page.
    """
    data = _address(hub) | {"options": dict(options or {}), "needs_review": needs_review}
    events: dict[str, Any] = {
        "on_ended_change": lambda: _tell(key, "ended", _hearing(on_end, _read_news)),
        "on_shown_change": lambda: _tell(key, "shown", _hearing(on_show, _read_shown)),
    }
    get_component("transfer")(key=key, data=data, **events)


def render_load_feed(
    *,
    key: str,
    hub: HubAddress,
    selected: int | None = None,
    on_change: Callable[[LoadNews], None] | None = None,
    on_choose: Callable[[int], None] | None = None,
) -> None:
    """Render the history of loads, live. on_change hears of loads that begin or end, on_choose of one that was clicked."""
    data = _address(hub) | {"selected": selected}
    hear_news = _hearing(on_change, _read_news)
    events: dict[str, Any] = {
        "on_begun_change": lambda: _tell(key, "begun", hear_news),
        "on_ended_change": lambda: _tell(key, "ended", hear_news),
        "on_chosen_change": lambda: _tell(key, "chosen", _hearing(on_choose, _read_load_id)),
    }
    get_component("loadfeed")(key=key, data=data, **events)


def _address(hub: HubAddress) -> dict[str, Any]:
    return {"hub_url": hub.url, "token": hub.token}


def _hearing(callback: Callable[[T], None] | None, read: Callable[[Message], T]) -> Callable[[Message], None]:
    def hear(message: Message) -> None:
        if callback:
            callback(read(message))

    return hear


def _tell(key: str, event: str, hear: Callable[[Message], None]) -> None:
    message = (st.session_state.get(key) or {}).get(event)
    if message:
        hear(message)


def _read_news(message: Message) -> LoadNews:
    return LoadNews(message["load_id"], message["state"])


def _read_shown(message: Message) -> ShownLoad:
    return ShownLoad(message["load_id"], message["aim"])


def _read_load_id(message: Message) -> int:
    load_id: int = message["load_id"]
    return load_id
