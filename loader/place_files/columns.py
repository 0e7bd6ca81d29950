"""Columns of a place file: which is the key that trip files use, and which names a place for people."""

from typing import Final

import numpy as np

from loader.formats.vocabulary.column_names import split_words
from loader.place_files.table import PlaceTable
from shared.platform.errors import RequestError

KEY_WORDS: Final = frozenset(
    {
        "id",
        "code",
        "number",
        "num",
        "nr",
        "no",
        "key",
        "uuid",
        "guid",
        "geoid",
        "codigo",
        "numero",
        "nummer",
        "numer",
        "kod",
        "kennung",
        "terminal",
    }
)
_NAME_WORDS: Final = frozenset(
    {
        "name",
        "title",
        "label",
        "zone",
        "station",
        "stop",
        "nombre",
        "nome",
        "nom",
        "naam",
        "navn",
        "namn",
        "nazwa",
        "nazev",
        "nimi",
    }
    | {"bezeichnung", "district", "neighborhood", "neighbourhood", "borough", "quartier", "barrio"}
)
# Numbers that programs give to rows, and that no other file knows.
_ROW_NUMBERS: Final = frozenset({"objectid", "fid", "gid", "ogcfid", "oid", "index", "rowid", "featureid"})
_UNIQUE: Final = 0.9
"""Some zones come in several rows, so that a key need not be unique in each."""


def choose_key(table: PlaceTable, wanted: str | None) -> str:
    """The column that is wanted, or that looks most like an id. Raises: RequestError for one that there isn't."""
    if wanted is not None:
        return _find(table, wanted, "key")
    return max(table.columns, key=lambda name: (*_rank_key(name, table.columns[name]), -list(table.columns).index(name)))


def choose_label(table: PlaceTable, wanted: str | None, *, key: str) -> str:
    """The column that is wanted, or that looks most like a name; else the key. Raises: RequestError."""
    if wanted is not None:
        return _find(table, wanted, "label")
    texts = [name for name, values in table.columns.items() if name != key and _is_text(values)]
    return max(texts, key=lambda name: (_is_called(name, _NAME_WORDS), _share_distinct(table.columns[name])), default=key)


def _rank_key(name: str, values: list[str]) -> tuple[object, ...]:
    distinct = _share_distinct(values)
    is_row_number = "".join(split_words(name)) in _ROW_NUMBERS
    return (
        distinct >= _UNIQUE,
        not is_row_number,
        _is_called(name, KEY_WORDS),
        _is_called(name, _NAME_WORDS),
        not _is_fraction(values),
        distinct,
    )


def _find(table: PlaceTable, wanted: str, parameter: str) -> str:
    for name in table.columns:
        if name.strip().casefold() == wanted.strip().casefold():
            return name
    raise RequestError(f"There is no column {wanted!r}. Columns: {', '.join(list(table.columns)[:30])}.", parameter=parameter)


def _is_called(name: str, words: frozenset[str]) -> bool:
    return bool(words & set(split_words(name)))


def _share_distinct(values: list[str]) -> float:
    filled = [value for value in values if value]
    return len(set(filled)) / max(len(values), 1)


def _is_text(values: list[str]) -> bool:
    filled = [value for value in values if value][:200]
    return bool(filled) and float(np.mean([any(letter.isalpha() for letter in value) for value in filled])) > 0.5


def _is_fraction(values: list[str]) -> bool:
    filled = [value for value in values if value][:200]
    return bool(filled) and all("." in value and not any(letter.isalpha() for letter in value) for value in filled)
