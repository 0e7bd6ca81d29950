"""Arrow types to polars series: every type that Parquet files hold becomes one that polars reads without a panic.

Zones of timestamps are dropped: the values are UTC either way. Texts are checked, for Parquet does not: bytes that are no UTF-8
become U+FFFD. Binary values are WKB where they begin as such, and text elsewhere, each by itself.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

# The first byte of WKB: big-endian, little-endian. No text begins with these control characters.
_WKB_ORDERS = (b"\x00", b"\x01")


def to_series(column: pa.ChunkedArray) -> pl.Series:
    """Return a column as a series. Raises: what pyarrow and polars raise for types that neither knows."""
    array = to_plain(column.combine_chunks() if column.num_chunks != 1 else column.chunk(0))
    series = pl.from_arrow(array)
    if not isinstance(series, pl.Series):
        raise TypeError(str(column.type))
    return series


def to_plain(array: pa.Array) -> pa.Array:
    """Return an array in a type that polars reads."""
    if isinstance(array, pa.ExtensionArray):
        return to_plain(array.storage)
    for is_kind, convert in _CONVERSIONS:
        if is_kind(array.type):
            return convert(array)
    return array


def _convert_map(array: pa.Array) -> pa.Array:
    entries = pa.StructArray.from_arrays([to_plain(array.keys), to_plain(array.items)], ["key", "value"])
    return pa.ListArray.from_arrays(_null_offsets(array), entries)


def _convert_struct(array: pa.Array) -> pa.Array:
    children = [to_plain(child) for child in array.flatten()]
    return pa.StructArray.from_arrays(children, [child.name for child in array.type], mask=pc.is_null(array))


def _convert_list(array: pa.Array) -> pa.Array:
    return type(array).from_arrays(_null_offsets(array), to_plain(array.values))


def _convert_fixed_list(array: pa.Array) -> pa.Array:
    size = array.type.list_size
    values = array.values.slice(array.offset * size, len(array) * size)
    return pa.FixedSizeListArray.from_arrays(to_plain(values), size, mask=pc.is_null(array))


def _null_offsets(array: pa.Array) -> pa.Array:
    """Return a list array's offsets, with nulls where a list is null, as from_arrays takes them."""
    offsets = array.offsets
    if array.null_count == 0:
        return offsets
    nulls = np.append(pc.is_null(array).to_numpy(zero_copy_only=False), False)
    return pa.array(offsets.to_numpy(), offsets.type, mask=nulls)


def _check_text(array: pa.Array) -> pa.Array:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        values = array.cast(pa.large_binary()).to_pylist()
        return pa.array([None if value is None else value.decode("utf-8", "replace") for value in values], pa.large_string())
    return array


_CONVERSIONS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (pa.types.is_dictionary, lambda array: to_plain(array.dictionary_decode())),
    (pa.types.is_timestamp, lambda array: array.cast(pa.timestamp(array.type.unit)) if array.type.tz else array),
    (pa.types.is_decimal256, lambda array: array.cast(pa.large_string())),
    (pa.types.is_string, _check_text),
    (pa.types.is_large_string, _check_text),
    (pa.types.is_string_view, _check_text),
    (pa.types.is_fixed_size_binary, lambda array: array.cast(pa.binary()).cast(pa.large_binary())),
    (pa.types.is_binary_view, lambda array: array.cast(pa.large_binary())),
    (pa.types.is_map, _convert_map),
    (pa.types.is_struct, _convert_struct),
    (pa.types.is_list_view, lambda array: to_plain(array.cast(pa.large_list(array.type.value_type)))),
    (pa.types.is_large_list_view, lambda array: to_plain(array.cast(pa.large_list(array.type.value_type)))),
    (pa.types.is_list, _convert_list),
    (pa.types.is_large_list, _convert_list),
    (pa.types.is_fixed_size_list, _convert_fixed_list),
)


def find_wkb(series: pl.Series) -> Mask:
    """Return which binary values begin as WKB."""
    starts = series.bin.head(1)
    return starts.is_in([*_WKB_ORDERS]).fill_null(value=False).to_numpy()


def decode_binary(series: pl.Series) -> pl.Series:
    """Return binary values as text: WKB in hexadecimal, others as UTF-8."""
    is_wkb = find_wkb(series)
    if is_wkb.all():
        return series.bin.encode("hex")
    others = pl.Series(_to_text(series.set(pl.Series(is_wkb), None)))
    return others.zip_with(pl.Series(~is_wkb), series.bin.encode("hex")) if is_wkb.any() else others


def _to_text(series: pl.Series) -> pa.Array:
    binary = series.to_arrow().cast(pa.large_binary())
    return _check_text(pa.Array.from_buffers(pa.large_string(), len(binary), binary.buffers(), offset=binary.offset))


def write_text(series: pl.Series) -> pl.Series:
    """Return values as text, in forms that detection knows; null where there is nothing.

    Durations are written as clocks, lists and structs as JSON, whole numbers without a fraction whatever their type.
    """
    kind = series.dtype
    for types, write in _WRITERS:
        if isinstance(kind, types):
            return write(series)
    return series.cast(pl.String, strict=False)


def _write_json(series: pl.Series) -> pl.Series:
    key = "x"
    wrapped = pl.select(pl.struct(series.alias(key)).struct.json_encode()).to_series()
    text = wrapped.str.slice(len(f'{{"{key}":')).str.head(-1)
    return pl.select(pl.when(series.is_not_null()).then(text)).to_series()


def _write_float(series: pl.Series) -> pl.Series:
    numbers = series.cast(pl.Float64)
    is_whole = (numbers == numbers.floor()) & (numbers.abs() < _EXACT)
    whole = numbers.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.select(pl.when(is_whole).then(whole).otherwise(numbers.cast(pl.String))).to_series()


def _write_duration(series: pl.Series) -> pl.Series:
    us = series.cast(pl.Duration("us")).cast(pl.Int64)
    clock = (us % _DAY_US * 1_000).cast(pl.Time).dt.strftime("%H:%M:%S%.f")
    is_clock = (us >= 0) & (us < _DAY_US)
    return pl.select(pl.when(is_clock).then(clock).otherwise((us / 1_000_000).cast(pl.String) + " s")).to_series()


_EXACT = 2**53
_DAY_US = 86_400_000_000
_WRITERS: tuple[tuple[tuple[type[pl.DataType], ...], Callable[[pl.Series], pl.Series]], ...] = (
    ((pl.Binary,), decode_binary),
    ((pl.Struct, pl.List, pl.Array), _write_json),
    ((pl.Datetime,), lambda series: series.dt.strftime("%Y-%m-%d %H:%M:%S%.f")),
    ((pl.Time,), lambda series: series.dt.strftime("%H:%M:%S%.f")),
    ((pl.Duration,), _write_duration),
    ((pl.Float16, pl.Float32, pl.Float64), _write_float),
)
