"""What an engine's adapter offers: a specification made of the load's manifest, a task under an id of ours, a count, and undo.

The caller stores the task before it is submitted. So submit may be repeated: an engine that knows the id takes it once.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, Self

from shared.platform.errors import TerminalError
from shared.platform.settings import Settings
from shared.publications import name_folder


@dataclass(frozen=True)
class PublishedLoad:
    """What of a manifest a specification needs. first_at, last_at: the local wall clock; columns: name, type, nullable."""

    load_id: int
    folder: str
    files: list[str]
    rows: int
    first_at: str
    last_at: str
    columns: list[dict[str, Any]]

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], settings: Settings) -> Self:
        """Take what is needed of a manifest. Raises: TerminalError for a load without trips."""
        if not manifest["files"]:
            raise TerminalError(f"Load {manifest['load_id']} has no trips to hand over.", code="nothing_to_hand_over")
        return cls(
            manifest["load_id"],
            name_folder(manifest["load_id"], settings),
            [file["name"] for file in manifest["files"]],
            manifest["rows"],
            manifest["first_at"],
            manifest["last_at"],
            # Geometry is for other programs: engines take degrees and geohashes.
            [column for column in manifest["columns"] if column["type"] != "binary"],
        )

    def to_json(self) -> dict[str, Any]:
        """As it is stored beside a task."""
        return asdict(self)


@dataclass(frozen=True)
class Task:
    """A task as it is stored. specification: what the engine is sent; it holds no secrets."""

    task_id: str
    specification: dict[str, Any]


@dataclass(frozen=True)
class TaskStatus:
    """How a task stands. unknown: the engine has never heard of it. message: why it failed."""

    state: Literal["unknown", "running", "succeeded", "failed"]
    message: str = ""


class Engine(Protocol):
    """An adapter. Every call raises TransientError when the engine is away, TerminalError when it refuses for good."""

    def specify(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that takes a load in."""

    def specify_undo(self, load: PublishedLoad, task_id: str) -> Task:
        """Make the task that removes a load."""

    def submit(self, task: Task) -> None:
        """Send a task; one that the engine has already is not run twice."""

    def fetch_status(self, task: Task) -> TaskStatus:
        """Ask how a task stands."""

    def cancel(self, task: Task) -> None:
        """Have a task end early; no error when it has ended, or is unknown."""

    def count_rows(self, load_id: int) -> int:
        """Count what queries see of a load."""
