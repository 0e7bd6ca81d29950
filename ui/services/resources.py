"""What every page needs from outside: settings, database, hub. Made once in main (or by a test) and handed over here.

Streamlit runs the pages as scripts, to which nothing can be passed; this is the one place they take it from.
"""

from dataclasses import dataclass

from sqlalchemy import Engine

from shared.index.snapshot import cache_index
from shared.platform.settings import Settings
from shared.questions.analyst_sql import connect_analyst
from shared.services.database import connect_database, connect_reader
from ui.services.answer_cache import Answers
from ui.services.hub_client import Hub


@dataclass(frozen=True, slots=True)
class Resources:
    """Settings, the database, what it answered lately, the hub, and the database as analysts reach it (None: not at all)."""

    settings: Settings
    engine: Engine
    answers: Answers
    hub: Hub
    analyst: Engine | None

    def close(self) -> None:
        """Close every connection to the database."""
        self.engine.dispose()
        self.answers.close()
        if self.analyst:
            self.analyst.dispose()


_provided: list[Resources] = []


def connect_resources(settings: Settings) -> Resources:
    """Make the resources; each connects at first use. Raises: SettingsError."""
    engine = connect_database(settings)
    reader = cache_index(connect_reader(settings), mib=settings.block_cache_mib)
    answers = Answers(reader, min_group_trips=settings.min_group_trips)
    return Resources(settings, engine, answers, Hub(settings), connect_analyst(settings))


def provide_resources(resources: Resources) -> None:
    """Hand the resources to every page of this process."""
    _provided[:] = [resources]


def get_resources() -> Resources:
    """The resources of this process. Raises: LookupError before provide_resources."""
    if not _provided:
        raise LookupError("no resources: start the app by tripdeck-ui")
    return _provided[0]
