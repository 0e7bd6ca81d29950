"""Parts of `make test-containers` that need no container engine."""

from datetime import UTC, datetime

import pytest
import yaml

from tests.containers.compose import parse_time
from tests.containers.rates import measure_rate
from tests.containers.rehearse import BUILT, IMAGES
from tests.containers.standins import OVERRIDE, TARGETS
from tests.containers.wheels import LOCKS, select_requirements
from tests.unit.test_compose import ROOT, SERVICES

LOCK = """\
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:ab
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:ba
polars==2.1.0 \\
    --hash=sha256:ca
"""


def test_requirements_are_those_of_the_image_s_python() -> None:
    newer, older = select_requirements(LOCK, "3.13.5"), select_requirements(LOCK, "3.11.9")
    assert newer == "numpy==2.5.5 \\\n    --hash=sha256:ba\npolars==2.1.0 \\\n    --hash=sha256:ca\n"
    assert older.startswith("numpy==2.4.6 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab\npolars")


@pytest.mark.parametrize("name", LOCKS)
def test_no_package_of_a_lock_is_missed(name: str) -> None:
    lock = (ROOT / f"infra/locks/{name}.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0] for line in lock.splitlines() if "==" in line and not line.startswith((" ", "#"))}
    chosen = {line.split("==")[0] for line in select_requirements(lock, "3.13.5").splitlines() if "==" in line}
    assert chosen
    assert pinned - chosen <= {"async-timeout", "colorama"}, "those of older Pythons, and of Windows"


@pytest.mark.parametrize(
    "text", ["2026-12-01T01:20:28.228150588Z", "2026-12-01 01:20:28.228150588 +0000 UTC", "2026-12-01T01:20:28.22815+00:00"]
)
def test_times_of_the_engine_are_read(text: str) -> None:
    assert parse_time(text) == datetime(2026, 12, 1, 1, 20, 28, 228_150, UTC)


def test_a_rate_is_rows_by_seconds() -> None:
    times = {"requested_at": "2026-12-01T01:00:00+00:00", "finished_at": "2026-12-01T01:00:02+00:00"}
    assert measure_rate({"rows_loaded": 1_000, **times}) == 500


def test_stand_ins_take_the_place_of_every_image_of_others() -> None:
    override = yaml.safe_load((ROOT / OVERRIDE).read_text(encoding="utf-8"))["services"]
    others = {name for name, service in SERVICES.items() if not service["image"].startswith("tripdeck-")}
    assert {name for name, service in override.items() if "image" in service} == others
    assert {name for name, service in override.items() if "build" in service} == {"hub", "ui"}
    images = {service["image"] for service in override.values() if "image" in service}
    assert images < {f"tripdeck-rehearsal-{target}" for target in TARGETS}


def test_images_of_an_installation_are_left_alone() -> None:
    override = yaml.safe_load((ROOT / IMAGES).read_text(encoding="utf-8"))["services"]
    assert set(override) == {name for name, service in SERVICES.items() if service["image"].startswith("tripdeck-")}
    assert {service["image"] for service in override.values()} == set(BUILT)
