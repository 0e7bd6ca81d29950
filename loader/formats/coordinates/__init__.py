"""Coordinates: numbers, points, cells and lines to degrees (WGS 84, longitude first)."""
