"""Names of tables inside an archive, for messages about one of them."""

from loader.formats.containers.tables import join_names, open_tables
from loader.formats.model.plan import Compression
from shared.platform.errors import FileFormatError

# What is wrong with the first table, rather than with the archive.
_CODES = ("missing_roles", "one_column", "ambiguous_columns", "ambiguous_dates", "swapped_coordinates", "too_many_columns")


def name_member(error: FileFormatError, sample: bytes, compression: Compression) -> FileFormatError:
    """Add to an error about the first table in an archive which that is, and what else the archive holds."""
    names = list_tables(sample, compression)
    if error.error_code not in _CODES or not names or names[0] is None:
        return error
    first, *others = (str(name) for name in names)
    about = f"This is about {first} in the archive"
    if others:
        about += f", which also holds {join_names(others)}: say which has the trips (--member), or load that file on its own"
    return FileFormatError(f"{error.message} {about}.", code=error.error_code, **error.facts)


def list_tables(sample: bytes, compression: Compression) -> list[str | None]:
    """List the tables in the sample of an archive, as far as it reaches."""
    names: list[str | None] = []
    try:
        for name, pieces in open_tables([sample], compression):
            names.append(name)
            for _ in pieces:
                pass
    except FileFormatError:
        return names
    return names
