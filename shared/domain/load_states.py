"""Load states: those in which a load has ended."""

from typing import Final

TERMINAL_STATES: Final = frozenset({"succeeded", "failed", "cancelled", "undone"})
