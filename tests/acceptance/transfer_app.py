"""Two pages: the upload list with the live history, and another one. What test_transfer_component.py drives."""

import os

import streamlit as st

from ui.transfer import HubAddress, LoadNews, ShownLoad, render_load_feed, render_transfers

HUB = HubAddress(os.environ["TRIPDECK_TEST_HUB_URL"], os.environ.get("TRIPDECK_TEST_HUB_TOKEN"))


def hear_end(news: LoadNews) -> None:
    st.session_state.setdefault("heard", []).append(f"{news.load_id} {news.state}")


def hear_show(shown: ShownLoad) -> None:
    st.session_state["shown"] = f"{shown.load_id} {shown.aim}"


def choose(load_id: int) -> None:
    st.session_state["chosen"] = load_id


def load_page() -> None:
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    render_transfers(
        key="transfers",
        hub=HUB,
        options={"region": "Turin", "datasource": "test"},
        needs_review=st.query_params.get("review") != "no",
        on_end=hear_end,
        on_show=hear_show,
    )
    st.text(f"HEARD {' | '.join(st.session_state.get('heard', []))}.")
    st.text(f"SHOWN {st.session_state.get('shown')}.")
    st.text(f"RUNS {st.session_state['runs']}.")


def history_page() -> None:
    render_load_feed(key="feed", hub=HUB, selected=st.session_state.get("chosen"), on_change=hear_end, on_choose=choose)
    st.text(f"HEARD {' | '.join(st.session_state.get('heard', []))}.")
    st.text(f"CHOSEN {st.session_state.get('chosen')}.")


st.set_page_config(layout="wide")
pages = [
    st.Page(load_page, title="Load", url_path="load", default=True),
    st.Page(history_page, title="History", url_path="history"),
]
st.navigation(pages, position="top").run()
