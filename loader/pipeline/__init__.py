"""The pipeline: a load from queued to finished."""
