"""Place files: from the bytes of a file of zones or stations to places. Pure functions over bytes; no network, no database.

    found = read_place_file(data, file_name="zones.zip", options=PlaceOptions())
    found.places           # to store
    found.to_json()        # what was understood, for a person

GeoJSON, zipped shapefiles, GeoPackage, CSV with WKT or with longitude and latitude. The rules are in docs/file-formats.md.
"""

from loader.place_files.place_file import PlaceFile, read_place_file
from loader.place_files.table import PlaceOptions

__all__ = ["PlaceFile", "PlaceOptions", "read_place_file"]
