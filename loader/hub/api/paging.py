"""Links to the next page of a list."""

from urllib.parse import urlencode

from loader.hub.api.params import DeliveriesParams, LoadsParams, RejectsParams


def make_next(path: str, params: LoadsParams | RejectsParams | DeliveriesParams, following: dict[str, int] | None) -> str | None:
    """Return the path and query of the next page; None where following, its parameters, is None."""
    if following is None:
        return None
    given = params.model_dump(exclude_unset=True, exclude_none=True, exclude={"load_id", "webhook_id"})
    return f"{path}?{urlencode({**given, **following})}"
