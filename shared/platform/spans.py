"""Spans: what tracing is to those who use it. These go nowhere; otel_tracing.py has those that go to a collector."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

Carrier = dict[str, str]
Attribute = str | int | float | bool


class RequestSpan:
    """The span of a request, until it is answered."""

    def end(self, status: int) -> None:
        """End it; a status from 500 on is an error."""


class Tracing:
    """Spans that go nowhere: tracing is off."""

    is_on = False

    @contextmanager
    def span(self, name: str, **attributes: Attribute) -> Iterator[None]:
        """Take the time of a block, as a part of what goes on around it."""
        yield

    @contextmanager
    def message_span(self, name: str, carrier: Mapping[str, str], **attributes: Attribute) -> Iterator[None]:
        """Take the time of a message's work, as a part of what sent it."""
        yield

    def begin_request(self, name: str, headers: Mapping[str, str], **attributes: Attribute) -> RequestSpan:
        """Begin a request's span, as a part of what its headers name; the rest of the caller's task belongs to it."""
        return RequestSpan()

    def inject(self) -> Carrier:
        """What a message says of the span that sends it."""
        return {}

    def close(self) -> None:
        """Send what has not been sent."""
