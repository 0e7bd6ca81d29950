"""Reason codes: why a record did not become a trip. Stable: programs and saved questions name them (see docs/file-formats.md)."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a record was rejected; the first that applies, in this order."""

    UNCLOSED_QUOTE = "unclosed_quote"
    RECORD_TOO_LONG = "record_too_long"
    NUL_BYTE = "nul_byte"
    MALFORMED_RECORD = "malformed_record"
    FIELD_COUNT = "field_count"
    ORIGIN_MISSING = "origin_missing"
    ORIGIN_UNKNOWN_PLACE = "origin_unknown_place"
    ORIGIN_UNREADABLE = "origin_unreadable"
    ORIGIN_OUT_OF_RANGE = "origin_out_of_range"
    ORIGIN_NULL_ISLAND = "origin_null_island"
    DESTINATION_MISSING = "destination_missing"
    DESTINATION_UNKNOWN_PLACE = "destination_unknown_place"
    DESTINATION_UNREADABLE = "destination_unreadable"
    DESTINATION_OUT_OF_RANGE = "destination_out_of_range"
    DESTINATION_NULL_ISLAND = "destination_null_island"
    STARTED_AT_MISSING = "started_at_missing"
    STARTED_AT_UNREADABLE = "started_at_unreadable"
    STARTED_AT_OUT_OF_RANGE = "started_at_out_of_range"
    FIELD_TOO_LONG = "field_too_long"
    UNDECODABLE_TEXT = "undecodable_text"


class TripWarning(StrEnum):
    """What is odd about a trip that was loaded all the same; counted per batch."""

    ENDED_AT_UNREADABLE = "ended_at_unreadable"
    END_BEFORE_START = "end_before_start"
    SAME_ENDS = "same_ends"
    FAR_FROM_OTHERS = "far_from_others"
    SWAPPED_PAIR = "swapped_pair"
