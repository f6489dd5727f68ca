"""Running a peer in an environment of its own.

Belongs here: making the environment, the exchange of encoded tables, time limits. Does not belong here: the peer's
calls (``peers/run_*.py``).
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from models.decode import decode_column
from records.accounting import epsilon_to_rho
from records.discretisation import encode, level_count, value_levels
from records.schema import Schema

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(os.environ.get("PHASEIV_PEERS", ".peers"))
LIMIT_SECONDS = 1500
WAITS = 4


class PeerError(Exception):
    """A peer could not be installed, failed, or ran out of time."""


def python_of(package: str) -> Path:
    """The interpreter of the peer's environment, made on first use."""
    home = ENVIRONMENTS.resolve() / package
    python = home / "bin" / "python"
    if python.exists():
        return python
    lines = (PEERS / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = next(line.partition(": ")[2] for line in lines if line.startswith(f"{package}: "))
    _called([sys.executable, "-m", "venv", str(home)], f"the environment of {package}")
    for word in wanted.split():
        step = ["uninstall", "-q", "-y", word[1:]] if word.startswith("-") else ["install", "-q", word]
        _called([str(python), "-m", "pip", *step], f"pip {step[0]} {step[-1]}")
    return python


def drawn_by_peer(
    package: str, algorithm: str, train: pl.DataFrame, schema: Schema, *, epsilon: float, seed: int
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Rows that the peer draws on the public grid, decoded as ours are, and what its fit cost.

    Raises
    ------
    PeerError
        With the last line of what the peer printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        settings = {
            "levels": {c.name: level_count(c) for c in schema.columns}, "algorithm": algorithm, "epsilon": epsilon,
            "delta": 1e-5, "rho": epsilon_to_rho(epsilon, 1e-5) if epsilon else None, "seed": seed,
            "numeric": {c.name: value_levels(c) for c in schema.columns if c.numeric}, "limit": LIMIT_SECONDS,
            **{name: str(at / name) for name in ("table", "out", "cost")},
        }  # fmt: skip
        pl.DataFrame(encode(train, schema.columns), schema.names).write_csv(at / "table")
        (at / "settings.json").write_text(json.dumps(settings))
        command = [str(python_of(package)), str(PEERS / f"run_{package}.py"), str(at / "settings.json")]
        _called(command, f"{package} {algorithm}")
        codes = pl.read_csv(at / "out")
        cost = json.loads((at / "cost").read_text())
    rng = np.random.default_rng(seed)
    return pl.DataFrame([decode_column(codes[c.name].to_numpy(), c, rng) for c in schema.columns]), cost


def _called(command: list[str], what: str) -> None:
    """Run in one thread; the limit is of processor time, and of ``WAITS`` times as much time on the clock."""
    single = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": ""}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAITS * LIMIT_SECONDS, env=single)
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"{what}: more than {WAITS * LIMIT_SECONDS} s") from error
    if done.returncode == -signal.SIGXCPU:
        raise PeerError(f"{what}: more than {LIMIT_SECONDS} CPU s")
    if done.returncode:
        raise PeerError(f"{what}: {said(done.stderr)} (exit code {done.returncode})")


def said(stderr: str) -> str:
    """The last line with a word in it: some errors end in brackets."""
    lines = [line.strip() for line in stderr.splitlines() if re.search("[A-Za-z]{3}", line)]
    return lines[-1][:160] if lines else "failed without a word"
