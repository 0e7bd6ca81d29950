"""Make the bucket when it isn't there: python -m infra.bucket."""

import sys

from shared.errors import TripdeckError
from shared.objects import ObjectStore
from shared.settings import load_settings


def main() -> None:
    """Make the bucket of the settings; exits 1 with one line when that fails."""
    try:
        ObjectStore(load_settings()).ensure_bucket()
    except TripdeckError as error:
        sys.exit(f"bucket: {error.message}")


if __name__ == "__main__":
    main()
