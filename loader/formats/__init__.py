"""Formats: from the bytes of any trip file to trips and rejects. Pure functions over bytes; no network, no database.

    plan = detect_format(sample, file_name="trips.csv", options=options, is_whole=False)
    scanner = BatchScanner(plan, batch_bytes=16 * 2**20)
    for chunk in open_stream(chunks, plan):                  # decompressed, UTF-16 made UTF-8; as it is where plan.is_seekable
        for piece in scanner.feed(chunk): ...                # a BatchSlice: where the batch lies in that stream
    for piece in scanner.finish(): ...
    plan = scanner.plan
    parsed = parse_batch(data, plan, piece, options=options)
    parsed.trips, parsed.rejects, parsed.rows_read
"""

from loader.formats.batch import parse_batch
from loader.formats.detect import detect_format
from loader.formats.plan import BatchSlice, FilePlan, LoadOptions, ParsedBatch
from loader.formats.scanner import BatchScanner

__all__ = ["BatchScanner", "BatchSlice", "FilePlan", "LoadOptions", "ParsedBatch", "detect_format", "parse_batch"]
