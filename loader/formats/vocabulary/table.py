"""Vocabulary table: the vocabulary as docs/file-formats.md shows it.

python -m loader.formats.vocabulary.table
"""

from collections.abc import Mapping
from typing import Final

from loader.formats.vocabulary.words import VOCABULARY

# How the meanings are called where people read them.
_TITLES: Final[Mapping[str, str]] = {
    "origin": "side: origin",
    "destination": "side: destination",
    "origin hint": "origin, where no word above says otherwise",
    "destination hint": "destination, where no word above says otherwise",
    "origin letter": "origin, where all other words are known",
    "destination letter": "destination, where all other words are known",
    "x": "longitude, where all other words are known",
    "y": "latitude, where all other words are known",
    "hour": "hour of the day, beside a date",
    "before the trip": "time before the trip: its start only where there is no other",
    "not the trip": "time that is never its start",
    "duration": "how long it took",
    "id": "number or name of a place or thing: no position",
    "count": "how many trips: not used, and said so",
    "neutral": "says nothing",
}


def render_vocabulary() -> str:
    """Return the vocabulary as a table in Markdown."""
    lines = ["| meaning | language | words |", "|---|---|---|"]
    for meaning, languages in VOCABULARY.items():
        title = _TITLES.get(meaning, meaning)
        for language, words in languages.items():
            lines.append(f"| {title} | {language} | {words} |")
            title = ""
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render_vocabulary(), end="")
