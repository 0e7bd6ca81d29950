"""Whole-file evidence: what only the whole file can settle, gathered while the planner streams it.

The order of day and month is decided once for the whole column, never per row: by the dates that fit one order only. The
encoding turns from UTF-8 to another where the sample was plain ASCII and the text beyond it is not UTF-8: the majority
decides, as soon as it is clear.
"""

import codecs
import re
from dataclasses import replace

import numpy as np

from loader.formats.model.codecs import is_single_byte
from loader.formats.model.errors import late_encoding
from loader.formats.model.plan import FilePlan
from loader.formats.text.charset import DEFAULT, rank_charsets
from loader.formats.text.fields import count_whole_fields, split_fields
from loader.formats.text.records import split_records
from loader.formats.times.date_order import DateParts
from loader.formats.times.errors import ambiguous_dates

# Majority of one kind of character that decides: a few damaged ones do not change the encoding, a page of text does.
_CLEAR_MAJORITY = 100
# Bytes of lines beyond ASCII that are collected to find the encoding.
_LOOKED_AT_BYTES = 4_096
_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")


class WholeFileEvidence:
    """Counts over all batches seen; the same whatever the batch size."""

    def __init__(self, plan: FilePlan) -> None:
        self._plan = plan
        self._dates = DateParts()
        self._letters = self._damaged = 0
        self._foreign = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def needs_records(self) -> bool:
        """Whether the order of day and month is open, so that records must be looked at."""
        return self._plan.time.kind == "text" and self._plan.time.date_order is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing that follows can change how what was seen is read. Plain ASCII reads the same in either encoding."""
        if self.needs_records:
            return False
        return self._is_encoding_clear or (self._letters == self._damaged == 0 and not self._decoder.getstate()[0])

    def observe_letters(self, chunk: bytes) -> None:
        """Process the next bytes of the stream."""
        if self._is_encoding_clear or self._plan.table:
            return
        if self._plan.dialect.encoding != "utf-8" or (chunk.isascii() and not self._decoder.getstate()[0]):
            return
        self._foreign += b"\n".join(_LINE.findall(chunk))[: max(0, _LOOKED_AT_BYTES - len(self._foreign))]
        text = self._decoder.decode(chunk)
        damaged = text.count("\ufffd")
        self._damaged += damaged
        self._letters += len(text) - damaged - int(np.count_nonzero(np.frombuffer(chunk, np.uint8) < 128))

    def _find_encoding(self) -> str:
        """Return the likeliest encoding of the text beyond ASCII after the sample.

        Raises: FileFormatError if it has multibyte characters (the file is cut into batches already), or if names depend on it.
        """
        likeliest = rank_charsets(self._foreign)[0]
        has_names = bool({"region", "datasource"} & set(self._plan.roles))
        if not is_single_byte(likeliest) or (has_names and likeliest != DEFAULT):
            raise late_encoding(likeliest)
        return likeliest

    @property
    def _is_encoding_clear(self) -> bool:
        return abs(self._letters - self._damaged) >= _CLEAR_MAJORITY

    def observe_records(self, data: bytes, *, header_lines: int) -> None:
        """Process the records of one batch."""
        if self.needs_records:
            self._observe_dates(data, header_lines)

    def settle(self) -> FilePlan:
        """Return the plan with what the file has shown.

        Raises: FileFormatError if every date fits month first as well as day first.
        """
        plan = self._plan
        if self._damaged > self._letters:
            plan = replace(plan, dialect=replace(plan.dialect, encoding=self._find_encoding()))
        if self.needs_records:
            order = self._dates.decide()
            if order is None:
                raise ambiguous_dates(plan)
            plan = replace(plan, time=replace(plan.time, date_order=order))
        return plan

    def _observe_dates(self, data: bytes, header_lines: int) -> None:
        plan = self._plan
        text = data if data.isascii() else data.decode("utf-8", "replace").encode()
        records = split_records(text, plan.dialect, limit=plan.record_limit_bytes, header_lines=header_lines)
        wanted = plan.dialect.field_count
        counts = count_whole_fields(records, delimiter=plan.dialect.delimiter, field_count=wanted)
        good = (counts == wanted) & ~records.is_unclosed
        table = split_fields(records, is_good=good, field_count=wanted)
        for role in ("started_at", "ended_at"):
            if role in plan.roles:
                self._dates.observe(table.text(plan.roles[role]))
