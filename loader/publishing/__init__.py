"""Publishing: a load's trips as GeoParquet files in the object store, and from there into other engines."""
