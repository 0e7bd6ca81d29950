"""Time limits that the hub and its inspection processes share."""

from typing import Final

GDAL_S: Final = 30.0
"""Loading GDAL for the first file of places takes half a second, and more than ten of a busy machine; no file is to blame."""
