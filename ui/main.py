"""The web app's process: settings, resources, then Streamlit's server until SIGTERM or Ctrl-C; the console script tripdeck-ui."""

import contextlib
import logging
import sys
import threading
from pathlib import Path
from typing import Final

import streamlit as st

from shared.platform.errors import SettingsError
from shared.platform.logs import configure_logs
from shared.platform.memory import give_back_code, give_back_free, keep_lasting
from shared.platform.settings import load_settings
from ui.services.resources import Resources, connect_resources, provide_resources
from ui.services.sign_in import check_access
from ui.style.html_shell import make_routes
from ui.style.theme import make_server_config

LOG = logging.getLogger(__name__)

SCRIPT: Final = Path(__file__).resolve().parent / "app.py"


def main() -> None:
    """Serve the app; exits 1 with one line when a setting is wrong."""
    try:
        settings = load_settings()
        check_access(settings)
        resources = connect_resources(settings)
    except SettingsError as error:
        sys.exit(f"tripdeck-ui: {error.message}")
    configure_logs(settings)
    provide_resources(resources)
    threading.Thread(target=_warm_up, args=[resources], name="warm up", daemon=True).start()
    LOG.info("web app listens", extra={"host": settings.ui_host, "port": settings.ui_port})
    app = st.App(SCRIPT, routes=make_routes(), on_script_error=show_script_error)
    with contextlib.suppress(KeyboardInterrupt):  # raised again by the server once it has stopped
        app.run(config=make_server_config(settings))


def _warm_up(resources: Resources) -> None:
    # In a thread, while the server starts: charts and tables take a second to import (three where no bytecode is kept), and the
    # first visitor shall not wait for those, nor for what the first box needs.
    import ui.explore.page  # noqa: F401
    from shared.warm_up import compile_kernels, read_gazetteer, read_index

    compile_kernels()
    read_gazetteer()
    read_index(resources.answers.engine)
    # Of 370 MiB 100 are code that only starting needed, and what it freed.
    give_back_code()
    keep_lasting()
    give_back_free()


def show_script_error(error: Exception) -> bool:
    """Log what nobody foresaw and tell the reader in one line; the process border of the page."""
    LOG.error("page failed", exc_info=error)
    st.error(
        "Something went wrong on this page. Reload it; if it stays, the reason is in the web app's log.", icon=":material/error:"
    )
    return True


if __name__ == "__main__":
    main()
