"""Names: what a column's name says about its role.

A name is cut into words (case, blanks, underscores, camelCase and glued words like `startlat` all the same), and each word
means a side (origin, destination), a kind (longitude, latitude, point, time, date, clock) or nothing known.

    read_name("Dropoff Centroid  Location").side == "destination"
"""

import re
from dataclasses import dataclass
from functools import lru_cache

SIDES = {
    # English, and the words of Latin American and Iberian exports.
    "origin": "origin orig pickup pick pu start starting from begin beginning dep departure depart departed src source started o "
    "retiro salida partida origen origem inicio",
    "destination": "destination dest dropoff drop do end ending to finish stop arrival arr target ended arrived d dst "
    "return returned arribo llegada chegada destino",
}
KINDS = {
    "longitude": "longitude lng lon long x",
    "latitude": "latitude lat y",
    "point": "point coord coords coordinate coordinates location loc position pos "
    "geom geometry wkt geo latlng lonlat latlon lnglat",
    "time": "time datetime timestamp at ts when epoch unixtime started ended departed arrived hora",
    "date": "date day on fecha",
    "region": "region city market",
    "datasource": "datasource dataset",
}
# Words that say nothing about the role and cost nothing either.
NEUTRAL = "tpep lpep trip ride station centroid gps local utc the of journey stn off up wgs 84 epsg 4326 dd deg degrees ms"
# Words that glue to others: `starttime`, `pickupdatetime`, `fromlat`.
_GLUED = sorted(
    {
        word
        for words in (*SIDES.values(), *KINDS.values(), NEUTRAL)
        for word in words.split()
        if len(word) > 2 or word in {"at", "to", "pu", "do"}
    },
    key=len,
    reverse=True,
)
_MEANING = {word: side for side, words in SIDES.items() for word in words.split()}
_KIND = {word: kind for kind, words in KINDS.items() for word in words.split()}
_NUMBERED = {"1": "origin", "2": "destination"}
_COORDINATES = ("longitude", "latitude", "point")
_NEUTRAL = frozenset(NEUTRAL.split())


@dataclass(frozen=True)
class NameMeaning:
    """What a column's name says. strangers counts the words that are not known."""

    side: str | None
    kind: str | None
    strangers: int
    words: tuple[str, ...]


def split_words(name: str) -> tuple[str, ...]:
    """Cut a column's name into lower-case words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name.strip())
    words = re.findall(r"[^\W\d_]+|\d+", spaced.lower())
    return tuple(part for word in words for part in _unglue(word))


@lru_cache(maxsize=4096)
def _unglue(word: str) -> tuple[str, ...]:
    """Cut a glued word into known words, if it is made of nothing else."""
    if word in _MEANING or word in _KIND or word in _NEUTRAL:
        return (word,)
    for known in _GLUED:
        if word.startswith(known) and word != known:
            rest = _unglue(word[len(known) :])
            if all(part in _MEANING or part in _KIND or part in _NEUTRAL for part in rest):
                return (known, *rest)
    return (word,)


def read_name(name: str) -> NameMeaning:
    """Read a column's name."""
    words = split_words(name)
    kinds = [_KIND[word] for word in words if word in _KIND]
    kind = "point" if {"latitude", "longitude"} <= set(kinds) else (kinds[-1] if kinds else None)
    meaning = _MEANING | _NUMBERED if kind in _COORDINATES else _MEANING
    sides = {meaning[word] for word in words if word in meaning}
    known = [word in meaning or word in _KIND or word in _NEUTRAL for word in words]
    return NameMeaning(sides.pop() if len(sides) == 1 else None, kind, known.count(False), words)
