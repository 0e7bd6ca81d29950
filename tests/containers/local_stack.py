"""The local stack beside the containers: the same file, the same machine, the same run."""

import json
import os
import subprocess
import sysconfig
import time
from pathlib import Path

import urllib3

from infra.embedded import find_free_ports
from infra.embedded.postgres import remove_data
from tests.containers.rates import measure_rate, wait_for_load

TRIPDECK = Path(sysconfig.get_path("scripts")) / "tripdeck"
READY_S = 120.0


def measure_local_stack(folder: Path, file: Path) -> float:
    """Bring the local stack up over a folder, load the file; returns rows per second."""
    hub_port, ui_port, *servers = find_free_ports(5)
    folder.mkdir(mode=0o700)
    # Not the usual ports, which another stack on this machine may be about to take.
    ports = dict(zip(("postgres", "valkey", "s3"), servers, strict=True))
    (folder / "installation.json").write_text(json.dumps({"ports": ports}), encoding="utf-8")
    ours = {"DATA_DIR": str(folder), "HUB_PORT": str(hub_port), "UI_PORT": str(ui_port)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIPDECK_")}
    environment |= {f"TRIPDECK_{name}": value for name, value in ours.items()}
    process = subprocess.Popen([TRIPDECK, "up"], env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(environment)
        url = f"http://127.0.0.1:{hub_port}"
        answer = urllib3.request("PUT", f"{url}/api/v1/loads/{file.name}", body=file.read_bytes(), retries=False, timeout=120)
        load_id = json.loads(answer.data)["load_id"]
        return measure_rate(wait_for_load(lambda path: urllib3.request("GET", url + path, retries=False), load_id))
    finally:
        process.terminate()
        process.wait(90)
        remove_data(folder / "postgres")


def wait_until_ready(environment: dict[str, str]) -> None:
    """Wait for the stack, and for its sample to be loaded. Raises: TimeoutError."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        done = subprocess.run([TRIPDECK, "status", "--json"], env=environment, capture_output=True, check=False)
        state = json.loads(done.stdout)
        if state["is_ready"] and not any(process["name"] == "sample" for process in state["processes"]):
            time.sleep(5)  # kernels are loaded, the sample is compacted
            return
        time.sleep(0.5)
    raise TimeoutError("the local stack is not ready")
