"""Uploads through the hub and past it."""
