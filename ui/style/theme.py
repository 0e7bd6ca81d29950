"""How the app looks: colours that hold for colour-blind people, system fonts, light and dark; and how its server runs.

Colours are taken from the Okabe-Ito set (blue, vermilion) and shifted until text and marks keep a contrast of 4.5 and 3
against both backgrounds. Source: M. Okabe, K. Ito, "Color Universal Design" (2008).
"""

from typing import Any, Final

from shared.platform.settings import Settings

FONTS: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', sans-serif"
CODE_FONTS: Final = "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"

LIGHT: Final = {
    "primaryColor": "#0f6a8f",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f6f8",
    "textColor": "#0c1720",
    "borderColor": "#d5dde4",
    "linkColor": "#0f6a8f",
    "chartCategoricalColors": ["#2b83a8", "#c2510f", "#7a6a00", "#8a4f86", "#4d7c3a"],
}
DARK: Final = {
    "primaryColor": "#3a9fc8",
    "backgroundColor": "#0e161e",
    "secondaryBackgroundColor": "#17222d",
    "textColor": "#e3eaf0",
    "borderColor": "#2c3b49",
    "linkColor": "#6cc0e0",
    "chartCategoricalColors": ["#56b1d3", "#f08a4b", "#d9c84a", "#d29ccd", "#93c47d"],
}

# Streamlit has no setting for the sides of a page, and its defaults waste a third of a 1280 pixel screen.
STYLE: Final = """<style>
.stMainBlockContainer { padding-inline: 1.25rem; }
[data-testid="stMetricLabel"] p { font-size: 0.8rem; }
.stMainBlockContainer h1 { padding-block: 0 0.25rem; }
.st-key-box_edges .stNumberInput button { display: none; }
.st-key-box_edges .stNumberInput input { padding-inline: 0.45rem; }
.st-key-filter_steps button p, .st-key-period_row button p, .st-key-clear_box button p, .st-key-play button p {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
[data-testid="stBaseButton-primary"], [data-testid="stPopoverButton"][kind="primary"] { color: light-dark(#fff, #0e161e); }
.stCode pre .token.token.token { color: inherit; }
.stCode pre .token.token.token.keyword { color: light-dark(#0b5878, #7cc8e6); font-weight: 600; }
.stCode pre .token.token.token.comment { color: light-dark(#55616d, #a3b0bd); }
.stCode pre .token.token.token.string, .stCode pre .token.token.token.number { color: light-dark(#9c3f06, #f3a571); }
.st-key-comparison [data-testid="stMetricValue"] { font-size: 1.5rem; line-height: 1.65; }
.st-key-groups [data-testid="stElementToolbar"] { display: none; }
.st-key-hub_pass { position: absolute; width: 0; height: 0; overflow: hidden; }
.st-key-definition { min-height: 2.4rem; }
.st-key-load_numbers [data-testid="stMetricValue"], .st-key-load_stages [data-testid="stMetricValue"] { font-size: 1.35rem; }
/* A control that came anew (controls.py) stands at once in the place of the old one. */
[class*="st-key-turn_"][data-stale="false"] ~ [class*="st-key-turn_"][data-stale="true"] { display: none; }
/* On a tablet held upright the answers go below the map, and the filters take two rows. */
@media (max-width: 1099px) {
    .st-key-screen > * > [data-testid="stHorizontalBlock"], .st-key-screen > [data-testid="stHorizontalBlock"],
    .st-key-filters [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    .st-key-screen > * > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"],
    .st-key-screen > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { flex: 1 1 100%; min-width: 100%; }
    .st-key-filters [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { flex: 1 1 7rem; min-width: 5.5rem; }
    .st-key-filters [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:nth-child(-n + 2) { flex-basis: 12rem; }
    .st-key-filters [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:nth-child(3) { flex-basis: 28rem; }
}
.stCaption, [data-testid="stCaptionContainer"] { line-height: 1.35; }
</style>"""


def make_server_config(settings: Settings) -> dict[str, Any]:
    """Options of Streamlit's server: where it listens, nothing sent to third parties, no traceback on the page, both themes."""
    return {
        "server.address": settings.ui_host,
        "server.port": settings.ui_port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": 1,  # files go from the browser to the object store; nothing is uploaded to this server
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "logger.hideWelcomeMessage": True,
        # No other file, so that the setting alone decides whether there is a sign-in.
        "secrets.files": [str(settings.sign_in_file)] if settings.sign_in_file else [],
        **make_theme(),
    }


def make_theme() -> dict[str, Any]:
    """Options of the theme, light and dark."""
    return {
        "theme.font": FONTS,
        "theme.codeFont": CODE_FONTS,
        "theme.baseFontSize": 14,
        "theme.baseRadius": "0.35rem",
        "theme.metricValueFontSize": "1.75rem",
        "theme.metricValueFontWeight": 600,
        "theme.headingFontSizes": ["1.5rem", "1.2rem", "1.05rem", "1rem", "0.95rem", "0.9rem"],
        "theme.paddingTop": "0.5rem",
        "theme.paddingBottom": "1rem",
        **{f"theme.light.{name}": value for name, value in LIGHT.items()},
        **{f"theme.dark.{name}": value for name, value in DARK.items()},
    }
