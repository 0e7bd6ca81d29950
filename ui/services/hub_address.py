"""The hub as pages need it: the address for the visitor's browser, or one clear message."""

from shared.platform.errors import TransientError
from ui.services.resources import Resources
from ui.transfer import HubAddress


def hub_address(resources: Resources) -> HubAddress:
    """The hub as the visitor's browser reaches it."""
    return HubAddress(resources.hub.browser_url, resources.hub.make_token("write"))


def require_hub(resources: Resources, *, so: str) -> None:
    """Raise TransientError when the hub doesn't answer; so: what that means for the page."""
    if not resources.hub.is_up():
        raise TransientError(f"The hub at {resources.settings.api_url} does not answer: {so}.", code="hub_unavailable")
