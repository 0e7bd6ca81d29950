"""Make the bucket when it isn't there: python -m infra.bucket."""

import sys

from shared.platform.errors import TripdeckError
from shared.platform.settings import load_settings
from shared.services.objects import ObjectStore


def main() -> None:
    """Make the bucket of the settings; exits 1 with one line when that fails."""
    try:
        ObjectStore(load_settings()).ensure_bucket()
    except TripdeckError as error:
        sys.exit(f"bucket: {error.message}")


if __name__ == "__main__":
    main()
