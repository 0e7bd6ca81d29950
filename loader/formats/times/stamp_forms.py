# ruff: noqa: RUF001 - signs of other scripts are the point
"""Stamp forms: the many ways to write a date and a clock time, each rewritten to the plain one.

    rewrite_stamps(pl.Series(["Tue Mar 19 08:12:00 +0000 2024"]))      # 2024-3-19 08:12:00+0000

Each form is a row of a table: a pattern and what it becomes. The rows are applied in their order to the whole column. What fits
none stays as it is, and is a reject. Numeric dates keep their order (19/03/2024): that is decided over the column. Only values
that the plain readers refuse come here, so plain files pay nothing.
"""

import re
from typing import Final

import polars as pl

from loader.formats.text.signs import clean_signs
from loader.formats.times.calendar_words import AT, EVENING, HOURS, MORNING, fold, list_days, list_months
from loader.formats.times.month_names import MONTH, read_months
from loader.formats.times.zones import list_all_names, list_offsets

Rewrite = tuple[str, str]


def _choose(words: str) -> str:
    return "(?:" + "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True)) + ")"


_DAY: Final = f"(?:{'|'.join(re.escape(day) for day in list_days() if day not in list_months())})"
_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[ap]m)?"
_DATE: Final = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_ZONE: Final = r"(?:z|utc|gmt|ut|[+-]\d{1,2}(?::?\d{2})?)"
_END: Final = rf"((?:[.,]\d+)?(?:\s?[ap]m)?(?:\s*{_ZONE})?)$"

_ORDINAL_SIGNS: Final = "[\u00ba\u00aa\u00b0]"  # 1º de marzo
# Chinese, Japanese, Korean and Greek, before letters are folded.
_EAST: Final[tuple[Rewrite, ...]] = (
    (r"[(（][月火水木金土日월화수목금토일祝・]{1,3}[)）]", " "),
    (r"(?:星期|[周週禮礼拜]{1,2})[一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일", " "),
    (r"(\d{2,4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일号號]?", "$1-$2-$3 "),
    (r"(\d{1,2})\s*[時时點点시]\s*(\d{1,2})\s*[分분]\s*(\d{1,2})\s*[秒초]", "$1:$2:$3"),
    (r"(\d{1,2})\s*[時时點点시]\s*(\d{1,2})\s*[分분]", "$1:$2"),
    (r"(\d{1,2})\s*[時时點点시]\s*$", "$1:00"),
    (rf"(?:{_choose(EVENING)})\s*0:", "下午12:"),
    (rf"(?:{_choose(MORNING)})\s*0:", "上午12:"),
    (rf"{_choose(MORNING)}\s*(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)", " $1 am"),
    (rf"{_choose(EVENING)}\s*(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)", " $1 pm"),
    (rf"(\d)\s*{_choose(MORNING)}\s*$", "$1 am"),
    (rf"(\d)\s*{_choose(EVENING)}\s*$", "$1 pm"),
    (r"\s{2,}", " "),
)
_WRAPPINGS: Final[tuple[Rewrite, ...]] = (
    (r'^=\s*"(.*)"$', "$1"),  # ="2024-03-19 08:12", which keeps a spreadsheet from changing it
    (r"^['\"]+(.*?)['\"]*$", "$1"),  # a spreadsheet's mark of text
    (r"^\[(.*)\]$", "$1"),
    (r"\s+m=[+-]\d.*$", ""),  # Go's monotonic clock
    (r"\s*\([^()]*\)\s*$", ""),
    (r"\s*\([^()]*\)\s*", " "),
    (rf"({_ZONE})\[[\w/+-]+\]$", "$1"),  # Java: 2024-03-19T08:12+01:00[Europe/Prague]
)
# Words that lead from a date to a clock time, the longest first.
_AT: Final = "|".join(sorted(map(re.escape, ["a las", "alle ore", "o godz.", *AT.split()]), key=len, reverse=True))
# Words, in lower case and without accents.
_WORDS: Final[tuple[Rewrite, ...]] = (
    (rf"^mar[.,]*\s+(\d{{1,4}}[-/.]\d.*|\d{{1,2}}\s(?:de\s)?{MONTH}\b.*)$", "$1"),
    (rf"^{_DAY}[.,]*\s+(.+)$", "$1"),
    (rf"(\d)[\s,.]+{_DAY}[.,]*\s+(\d)", "$1 $2"),
    (rf"(\d)[\s,]+{_DAY}\.?$", "$1"),
    (r"(\d)\s*([ap])\s?\.?\s?m\b\.?", "$1 ${2}m"),
    (r"(:\d{2})\s?([ap])$", "$1 ${2}m"),
    (r"\b([ap])\.?\s?m\.?\s*(\d{1,2}:\d{2}(?::\d{2})?)", "$2 ${1}m"),
    (rf"([\d.,])\s*,?\s+(?:{_AT})\s+(\d{{1,2}}\s?[:.h])", "$1 $2"),
    (rf"([:.]\d{{2}})\s*{_choose(HOURS)}\.?$", "$1"),
    (r"(^|[\s,])(\d{1,2})\s?h\s?(\d{2})\s?(?:m|mn|min)?\s?(\d{2})\s?s?$", "$1$2:$3:$4"),
    (r"(^|[\s,])(\d{1,2})\s?h\s?(\d{2})\s?(?:m|mn|min)?$", "$1$2:$3"),
    (r"(\d[\s,]+)(\d{1,2})\s?h$", "$1$2:00"),
    (
        rf"^({MONTH})\s+(\d{{1,2}}),?\s+({_CLOCK})(\s+[a-z]{{1,5}}|\s+(?:gmt|utc)?[+-]\d{{2}}:?\d{{2}})?\s+(\d{{4}})$",
        "$2 $1 $5 $3$4",
    ),
    (rf"^({_CLOCK})(\s{_ZONE})?[\s,;-]+(?:on\s)?([^:]*{MONTH}[^:]*)$", "$3 $1$2"),
)
_NUMBERS: Final[tuple[Rewrite, ...]] = (
    (r"^(\d{4}):(\d{2}):(\d{2})\b", "$1-$2-$3"),  # pictures' EXIF
    (r"^(\d{1,4})_(\d{1,2})_(\d{4}|\d{1,2})([t _-].*)?$", "$1-$2-$3$4"),
    (rf"^({_DATE})[t _](\d{{1,2}})_(\d{{2}})$", "$1 $2:$3"),
    (r"^(\d{4})\. ?(\d{1,2})\. ?(\d{1,2})\.?", "$1-$2-$3"),
    (r"^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})\b\.?", "$1.$2.$3"),
    (r"^(\d{1,4})\s?([-/])\s?(\d{1,2})\s?[-/]\s?(\d{1,4})", "$1$2$3$2$4"),
    (r"^(\d{4}) (\d{1,2}) (\d{1,2})\b", "$1-$2-$3"),
    (rf"^({_CLOCK})(\s{_ZONE})?[\s,;|-]+(?:on\s)?({_DATE})(\s*{_ZONE})?$", "$3 $1$2$4"),
    (r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\.\d+)?\s?(z|[+-]\d{2}:?\d{2})$", "$1-$2-$3 $4:$5:$6$7$8"),
    (r"^(\d{4})(\d{2})(\d{2})[t _]\s?", "$1-$2-$3 "),
    (r"^(\d{4})(\d{2})(\d{2})-(\d{2}):?(\d{2}):?(\d{2})", "$1-$2-$3 $4:$5:$6"),
    (rf"^({_DATE})\s?[-_|@;/:]\s?(\d{{1,2}}:\d{{2}}:\d{{2}})", "$1 $2"),
    (rf"^({_DATE})(?:\s-\s|\s?[_|@;]\s?)(\d{{1,2}}:\d{{2}})", "$1 $2"),
    (rf"^({_DATE})[t ,_-]+(\d{{1,2}})[._-](\d{{2}})[._-](\d{{2}})", "$1 $2:$3:$4"),
    (rf"^({_DATE})[t ,]+(\d{{1,2}})[.](\d{{2}})((?:\s?[ap]m)?)$", "$1 $2:$3$4"),
    (rf"^({_DATE})[t ]+(\d{{2}}) ?(\d{{2}}) ?(\d{{2}}){_END}", "$1 $2:$3:$4$5"),
    (rf"^({_DATE})[t ]+(\d{{2}})(\d{{2}}){_END}", "$1 $2:$3$4"),
    (rf"^({_DATE})[t ]+(\d{{1,2}})((?:\s?[ap]m)?\s?{_ZONE}?)$", "$1 $2:00$3"),
    (rf"^({_DATE})t\s?(\d)", "$1 $2"),
    (r"(:\d{2}:\d{2}):(\d{1,9})\b", "$1.$2"),
)
_ZONES: Final[tuple[Rewrite, ...]] = (
    (r"(\d|[ap]m)\s*(?:utc|gmt|ut)\s?([+-]\d{1,2}(?::?\d{2})?)(?:\s+[a-z]{2,5})?$", "$1 $2"),
    (r"([+-]\d{1,2}(?::?\d{2})?)\s+[a-z]{2,5}$", "$1"),
    (r"((?:\d|[ap]m)\s?[+-])(\d)((?::\d{2})?)$", "${1}0$2$3"),
    (r"(\d|[ap]m)\s*(?:utc|gmt|ut|uct|zulu|z)$", "$1+00:00"),
)
_WEEK_DATE: Final = r"^(\d{4})-?w(\d{2})-?([1-7])((?:[t ].*)?)$"
_ORDINAL_DATE: Final = r"^(\d{4})-(\d{3})((?:[t ].*)?)$"
_ZONE_NAME: Final = r"(?:\d|[ap]m)\s*([a-z]{2,5})$"
_FOLDED: Final = ["\u00f8", "\u0142", "\u0131", "\u00df"], ["o", "l", "i", "s"]


def rewrite_stamps(text: pl.Series, *, timezone: str | None = None) -> pl.Series:
    """Rewrite written times to the plain form, as far as one of the forms fits. Shape: as text.

    timezone explains abbreviations such as EDT; without one, every abbreviation of the table counts as UTC (for detection only).
    """
    values = clean_signs(text.str.replace_all(_ORDINAL_SIGNS, "")).str.strip_chars(" \t")
    is_foreign = bool((values.str.len_bytes() != values.str.len_chars()).any())
    if is_foreign:
        values = _apply(values, _EAST)
    has_letters = bool(values.str.contains(r"\p{L}").any())
    if has_letters:
        values = _fold(values) if is_foreign else values.str.to_lowercase()
    values = _apply(values, _WRAPPINGS).str.strip_chars(" \t,")
    if has_letters:
        values = read_months(_apply(values, _WORDS))
    values = _apply(_read_rare_dates(values), _NUMBERS)
    values = _apply(values, _ZONES)
    return _explain_zones(values, timezone) if has_letters else values


def find_zone_names(text: pl.Series) -> pl.Series:
    """Return the abbreviation of a time zone that ends each written time, in capitals; null where there is none."""
    values = clean_signs(text).str.strip_chars(" \t").str.to_uppercase()
    names = values.str.extract(r"(?:\d|[AP]\.?M\.?)\s*([A-Z]{3,5})(?:\s\d{4})?$")
    return pl.select(pl.when(names.is_in(sorted(list_all_names()))).then(names)).to_series()


def _apply(text: pl.Series, rewrites: tuple[Rewrite, ...]) -> pl.Series:
    column = pl.col("text")
    for pattern, replacement in rewrites:
        column = column.str.replace(pattern, replacement)
    return pl.DataFrame({"text": text}).select(column).to_series()


def _fold(text: pl.Series) -> pl.Series:
    """Return text in lower case and without accents, as fold does one word."""
    lower = text.str.to_lowercase().str.replace_many(*_FOLDED)
    return lower.str.normalize("NFKD").str.replace_all(r"\p{M}", "")


def _explain_zones(text: pl.Series, timezone: str | None) -> pl.Series:
    offsets = dict.fromkeys(list_all_names(), "+00:00") if timezone is None else list_offsets(timezone)
    if timezone is not None:
        text = text.str.replace(rf"(:\d{{2}}(?:\.\d+)?)\s+{re.escape(fold(timezone))}$", "$1")
    names = text.str.extract(_ZONE_NAME)
    if not offsets or names.null_count() == len(names):
        return text
    known = names.replace_strict([name.lower() for name in offsets], list(offsets.values()), default=None)
    bare = text.str.replace(r"\s*[a-z]{2,5}$", "")
    return pl.select(pl.when(known.is_not_null()).then(pl.concat_str(bare, known)).otherwise(text)).to_series()


def _read_rare_dates(text: pl.Series) -> pl.Series:
    """Rewrite ISO week dates (2024-W12-2) and ordinal dates (2024-079)."""
    if not text.str.contains(rf"{_WEEK_DATE}|{_ORDINAL_DATE}").any():
        return text
    week = text.str.extract_groups(_WEEK_DATE).struct
    ordinal = text.str.extract_groups(_ORDINAL_DATE).struct
    found = [
        (pl.concat_str([week.field(name) for name in "123"], separator="-"), "%G-%V-%u", week.field("4")),
        (pl.concat_str([ordinal.field(name) for name in "12"], separator="-"), "%Y-%j", ordinal.field("3")),
    ]
    dates = [pl.select(date).to_series().str.to_date(form, strict=False).dt.strftime("%Y-%m-%d") for date, form, _ in found]
    return pl.select(
        pl.coalesce(*(pl.concat_str(date, rest) for date, (_, _, rest) in zip(dates, found, strict=True)), text)
    ).to_series()
