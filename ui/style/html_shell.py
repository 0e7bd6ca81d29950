"""The HTML document around the app: Streamlit's own, with Tripdeck's title and the server's address.

Opened at /loads, Streamlit's page first looks for its server under /loads and logs two errors before it looks at /; told
where the server is, it asks there at once. BACKEND_BASE_URL is the name under which it takes that from whoever hosts it.
"""

from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGES: Final = ("explore", "load", "loads", "questions")

_SCRIPT: Final = (
    "<script>window.__streamlit = { BACKEND_BASE_URL: "
    "location.origin + location.pathname.replace(/(explore|load|loads|questions)\\/?$/, '') };</script>"
)


def make_routes() -> list[Route]:
    """Routes of the pages' addresses; everything else stays Streamlit's."""
    return [Route("/", _answer), *(Route(f"/{page}", _answer) for page in PAGES)]


@cache
def make_document() -> str:
    """Streamlit's document with title, server address, and without the preload of a font that isn't used."""
    index = Path(st.__file__).parent / "static" / "index.html"
    text = index.read_text(encoding="utf-8").replace("<title>Streamlit</title>", "<title>Tripdeck</title>")
    start = text.find('<link\n      rel="preload"')
    if start >= 0:
        text = text[:start] + text[text.index("/>", start) + 2 :]
    return text.replace("<head>", f"<head>{_SCRIPT}", 1)


async def _answer(_request: Request) -> HTMLResponse:
    return HTMLResponse(make_document(), headers={"Cache-Control": "no-cache"})
