"""Place sets: zones, named areas and location tables, as they are stored and read.

    place = fetch_place(connection, place_id)     # place.shape is a shapely polygon or None
    polygons = list_polygons(connection, place_set_id)   # all of a set, in the order of its file

A zone set is a place set with polygons; areas drawn on the map are places of a set of their own; a location table is any
place set that a load looks up its ends in. CRS: WGS 84, longitude before latitude.
"""
