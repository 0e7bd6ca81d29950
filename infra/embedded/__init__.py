"""Real servers from Python wheels: PostgreSQL, Valkey (Redis protocol), SeaweedFS (S3), as child processes on 127.0.0.1.

    [port] = find_free_ports(1)
    server = prepare_valkey(folder, port=port, password="…")
    process = start_program(server)
    wait_until_ready(process)
    …
    stop_process(process)

A prepare_ function lays the folder out and returns a Program: what to run, as whom, how to see that it answers, how to stop it.
"""

from infra.embedded.ports import find_free_ports, is_port_taken
from infra.embedded.postgres import PostgresInstall, prepare_postgres
from infra.embedded.program import Process, Program, ServerError, start_program, stop_process, wait_until_ready
from infra.embedded.seaweed import prepare_seaweed
from infra.embedded.valkey import prepare_valkey

__all__ = [
    "PostgresInstall",
    "Process",
    "Program",
    "ServerError",
    "find_free_ports",
    "is_port_taken",
    "prepare_postgres",
    "prepare_seaweed",
    "prepare_valkey",
    "start_program",
    "stop_process",
    "wait_until_ready",
]
