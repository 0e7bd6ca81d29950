"""The command line: asks the hub over REST and follows its feed.

tripdeck load trips.csv --region Turin
tripdeck weekly --bbox 7.5,45.0,7.7,45.1 --end both --json
"""

from loader.cli.app import app

__all__ = ["app"]
