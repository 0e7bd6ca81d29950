"""Files on their way, in the browser: upload straight to the object store, then live progress from the hub's feed.

    hub = HubAddress(settings.browser_api_url, token=make_token(secret, "write") if secret else None)
    render_transfers(key="transfers", hub=hub, options={"region": "Turin"}, on_end=forget_answers, on_show=open_load)
    render_load_feed(key="feed", hub=hub, selected=load_id, on_change=forget_answers, on_choose=choose_load)

Bytes and progress never pass through this process: Python hears of ends and of clicks only.
"""

from ui.transfer.render import HubAddress, LoadNews, ShownLoad, render_load_feed, render_transfers

__all__ = ["HubAddress", "LoadNews", "ShownLoad", "render_load_feed", "render_transfers"]
