"""The servers of one deployment: Dagster (webserver, daemon, code), MLflow and the hub, started and stopped together.

Belongs here: processes and signals. Does not belong here: commands (``cli``), or what the servers serve.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from assets.workspace import Workspace

GRACE_SECONDS = 20.0
# The job runner is for MLflow's own assistants: a dozen processes that nothing here uses.
MLFLOW_SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def commands(workspace: Workspace, dagster_port: int, mlflow_port: int, hub_port: int | None) -> dict[str, list[str]]:
    """Name to command; all listen on this machine only: Dagster and MLflow have no login, the hub no TLS of its own."""
    local = ["--host", "127.0.0.1", "--port"]
    mlflow = ["mlflow", "server", "--workers", "1", "--backend-store-uri", workspace.tracking_uri]
    mlflow += ["--artifacts-destination", str(workspace.home / "mlartifacts"), *local, str(mlflow_port)]
    dagster = ["dagster", "dev", "-m", "orchestration.definitions", *local, str(dagster_port)]
    hub = {} if hub_port is None else {"Hub": ["phaseiv", "hub", "serve", *local, str(hub_port)]}
    return {"MLflow": mlflow, "Dagster": dagster, **hub}


def serve(commands: Mapping[str, Sequence[str]]) -> str | None:
    """Run servers until a signal or the end of one of them; returns which ended by itself, or nothing.

    Each server leads a process group, so that stopping reaches what it has started: Ctrl-C, the stop of a service
    manager and a closed terminal leave no process.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    servers: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            servers[name] = _started(command)
        while True:
            for name, server in servers.items():
                if server.poll() is not None:
                    return f"{name} must keep running, got exit code {server.returncode}; is its port free?"
            time.sleep(0.5)
    except KeyboardInterrupt:
        return None
    finally:
        for server in servers.values():
            _signalled(server, signal.SIGINT)
        deadline = time.monotonic() + GRACE_SECONDS
        for server in servers.values():
            _stopped(server, deadline)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    binary = str(Path(sys.executable).parent / command[0])
    return subprocess.Popen([binary, *command[1:]], env={**os.environ, **MLFLOW_SETTINGS}, start_new_session=True)


def _stopped(server: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for the whole group, and kill what is left of it at the deadline."""
    while _signalled(server, 0) and time.monotonic() < deadline:
        server.poll()
        time.sleep(0.1)
    _signalled(server, signal.SIGKILL)
    server.wait()


def _signalled(server: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the server's group; false if nothing of it is left."""
    try:
        os.killpg(server.pid, number)
    except ProcessLookupError:
        return False
    return True
