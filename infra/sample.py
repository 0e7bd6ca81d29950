"""Load a small generated sample when nothing was ever loaded, through the hub like any file: python -m infra.sample."""

import logging
import sys
import tempfile
from pathlib import Path
from typing import Final

from loader.cli.session import connect_hub
from loader.sample.generate import generate_trips
from shared.platform.errors import TripdeckError
from shared.platform.logs import configure_logs
from shared.platform.settings import load_settings

LOG: Final = logging.getLogger(__name__)
FILE_NAME: Final = "sample.csv"
# Three regions and five datasources over half a year: enough for streets and rhythms to show, loaded in a second or two.
SAMPLE_ROWS: Final = 250_000


def load_sample() -> bool:
    """Request the load of a sample unless there are loads; says whether it did.

    Raises: TransientError when the hub can't be reached.
    """
    client = connect_hub()
    if client.get("/api/v1/loads", limit=1)["loads"]:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        generate_trips(path, rows=SAMPLE_ROWS)
        with path.open("rb") as stream:
            client.put_file(stream, file_name=FILE_NAME, size=path.stat().st_size, params={})
    return True


def main() -> None:
    """Load the sample; exits 1 with one line when that fails."""
    try:
        configure_logs(load_settings())
        LOG.info("sample requested" if load_sample() else "there are loads already, so no sample")
    except TripdeckError as error:
        sys.exit(f"sample: {error.message}")


if __name__ == "__main__":
    main()
