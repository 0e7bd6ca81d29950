"""Uploads: files streamed through the hub, and uploads in parts straight to the object store."""
