"""Arrow arrays: their leaves, and how many bytes their rows take."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Sizes = npt.NDArray[np.int64]


def list_leaf_arrays(array: pa.Array) -> Iterator[pa.Array]:
    """Yield the arrays of values in an array, those of nested ones in the order of the file's columns."""
    if isinstance(array, pa.ExtensionArray):
        yield from list_leaf_arrays(array.storage)
    elif isinstance(array, pa.StructArray):
        for index in range(array.type.num_fields):
            yield from list_leaf_arrays(array.field(index))
    elif isinstance(array, pa.MapArray):
        yield from list_leaf_arrays(array.keys)
        yield from list_leaf_arrays(array.items)
    elif hasattr(array, "values"):
        yield from list_leaf_arrays(array.values)
    else:
        yield array


def measure_rows(batch: pa.RecordBatch) -> Sizes:
    """Return the bytes of each row's text, binary and nested values. Plain numbers count nothing outside of lists."""
    sizes = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if not pa.types.is_primitive(column.type):
            sizes += _measure(column)
    return sizes


def _measure(array: pa.Array) -> Sizes:
    if isinstance(array, pa.ExtensionArray):
        return _measure(array.storage)
    for is_kind, measure in _MEASURES:
        if is_kind(array.type):
            return measure(array)
    return np.full(len(array), _find_width(array.type), np.int64)


def _measure_texts(array: pa.Array) -> Sizes:
    lengths = pc.binary_length(array).cast(pa.int64()).fill_null(0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)


def _measure_struct(array: pa.Array) -> Sizes:
    sizes = [_measure(array.field(index)) for index in range(array.type.num_fields)]
    return np.asarray(np.sum(sizes, axis=0, dtype=np.int64))


def _measure_fixed_lists(array: pa.Array) -> Sizes:
    size = array.type.list_size
    values = array.values.slice(array.offset * size, len(array) * size)
    return np.asarray(_measure(values).reshape(len(array), size).sum(axis=1), np.int64)


def _measure_codes(array: pa.DictionaryArray) -> Sizes:
    longest = _measure(array.dictionary)
    codes = array.indices
    known = np.append(longest, 0)  # of no value
    return np.asarray(known[codes.cast(pa.int64()).fill_null(len(longest)).to_numpy(zero_copy_only=False)], np.int64)


def _measure_lists(array: pa.Array) -> Sizes:
    """Sum over the values of each list. Lists lie one after the other, views anywhere."""
    values = (
        pa.StructArray.from_arrays([array.keys, array.items], ["key", "item"]) if isinstance(array, pa.MapArray) else array.values
    )
    sums = np.append(0, np.cumsum(_measure(values)))
    offsets = array.offsets.to_numpy()
    if hasattr(array, "sizes"):
        ends = offsets + array.sizes.to_numpy()
        return np.asarray(sums[ends] - sums[offsets], np.int64)
    return np.asarray(sums[offsets[1:]] - sums[offsets[:-1]], np.int64)


def _find_width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return 1


_MEASURES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], Sizes]], ...] = (
    (pa.types.is_dictionary, _measure_codes),
    (pa.types.is_string, _measure_texts),
    (pa.types.is_large_string, _measure_texts),
    (pa.types.is_string_view, _measure_texts),
    (pa.types.is_binary, _measure_texts),
    (pa.types.is_large_binary, _measure_texts),
    (pa.types.is_binary_view, _measure_texts),
    (pa.types.is_struct, _measure_struct),
    (pa.types.is_fixed_size_list, _measure_fixed_lists),
    (pa.types.is_map, _measure_lists),
    (pa.types.is_list, _measure_lists),
    (pa.types.is_large_list, _measure_lists),
    (pa.types.is_list_view, _measure_lists),
    (pa.types.is_large_list_view, _measure_lists),
)


def decode_dictionaries(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Replace dictionary codes by their values."""
    columns = [_decode(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=[str(index) for index in range(len(columns))])


def _decode(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        return _decode(array.storage)
    if _has_dictionary(array.type):
        return array.cast(_plain(array.type))
    return array


def _has_dictionary(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) or any(_has_dictionary(kind.field(index).type) for index in range(kind.num_fields))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return a type with values instead of dictionary codes."""
    is_type = pa.types
    if is_type.is_dictionary(kind):
        return pa.large_string() if is_type.is_string(kind.value_type) else kind.value_type
    if is_type.is_struct(kind):
        return pa.struct([pa.field(child.name, _plain(child.type)) for child in kind])
    if is_type.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if is_type.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type), kind.list_size)
    if is_type.is_list(kind) or is_type.is_large_list(kind):
        return pa.large_list(_plain(kind.value_type))
    return kind
