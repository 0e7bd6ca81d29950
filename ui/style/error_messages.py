"""Problems: one clear message in place of a page that can't be drawn, with what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from shared.platform.errors import RequestError, TransientError, TripdeckError
from ui.style.text import escape_markdown


@contextmanager
def explained() -> Iterator[None]:
    """Draw what is inside; when it fails for a known reason, say so in its place and leave the rest of the page alone."""
    try:
        yield
    except TransientError as error:
        st.error(f"{escape_markdown(error.message.rstrip('.'))}. Try again in a moment.", icon=":material/cloud_off:")
        st.button("Try again", key=f"try_again_{error.error_code}", icon=":material/refresh:")
    except RequestError as error:
        st.warning(escape_markdown(error.message), icon=":material/help:")
    except TripdeckError as error:
        st.error(escape_markdown(error.message), icon=":material/error:")
