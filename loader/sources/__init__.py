"""Sources: lists of addresses that trip files are read from, and the way of each object into a load."""

from loader.sources.source_run import run_source

__all__ = ["run_source"]
