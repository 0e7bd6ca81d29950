"""Formats: from the bytes of any trip file to trips and rejects. Pure functions over bytes; no network, no database.

    plan = detect_format(sample, file_name="trips.csv", options=options, is_whole=False)
    splitter = BatchSplitter(plan, batch_bytes=16 * 2**20)
    for piece, data in splitter.split(chunks): ...     # chunks of the object as stored; piece is a BatchSlice
    plan = splitter.plan                              # the whole column has settled what the sample could not
    # Where plan.is_seekable, bytes [piece.offset, piece.offset + piece.bytes) of the object are the batch and data is None.
    # Otherwise (compressed, UTF-16) data is the batch in parts, for the planner to keep until it is parsed.
    parsed = parse_batch(data, plan, piece, options=options)
    parsed.trips, parsed.rejects, parsed.rows_read

What a person has to settle is a FileFormatError with a code and one clear message. The rules are in docs/file-formats.md.
"""

from loader.formats.batch_parser import parse_batch
from loader.formats.batch_splitter import BatchSplitter
from loader.formats.containers.byte_ranges import ByteRanges
from loader.formats.detector import detect_format
from loader.formats.header_fingerprint import list_headers
from loader.formats.inspection import Inspection, inspect_format, inspect_parts, list_plan_notes
from loader.formats.model.batches import BatchSlice, ParsedBatch
from loader.formats.model.options import LoadOptions
from loader.formats.model.places import PlaceLookup
from loader.formats.model.plan import FilePlan
from loader.formats.parquet.preview import FileParts
from loader.formats.sample_text import SAMPLE_BYTES, needs_whole
from loader.formats.streams import open_stream
from loader.formats.transcoding import join_workbook
from loader.formats.warm_up import warm_up

__all__ = [
    "SAMPLE_BYTES",
    "BatchSlice",
    "BatchSplitter",
    "ByteRanges",
    "FileParts",
    "FilePlan",
    "Inspection",
    "LoadOptions",
    "ParsedBatch",
    "PlaceLookup",
    "detect_format",
    "inspect_format",
    "inspect_parts",
    "join_workbook",
    "list_headers",
    "list_plan_notes",
    "needs_whole",
    "open_stream",
    "parse_batch",
    "warm_up",
]
