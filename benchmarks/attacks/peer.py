"""Running the anonymeter package in an environment of its own.

Belongs here: making the environment and the exchange of tables. Does not belong here: the package's calls
(``peers/run_anonymeter.py``).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.synthesis.peer import ENVIRONMENTS, PeerError, said
from metrics.attacks.linkability import dealt
from metrics.attacks.risk import auxiliary_columns, secret_columns
from records.schema import Kind, Schema

PEERS = Path(__file__).parent / "peers"
PACKAGE = "anonymeter"


def attacked_by_peer(
    tables: Mapping[str, pl.DataFrame], schema: Schema, *, attacks: int, seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """Rates, risk and CPU seconds of each attack and seed; ``tables`` are ``train``, ``control`` and ``synthetic``.

    Raises
    ------
    PeerError
        With the last line of what the peer printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        for name, frame in tables.items():
            _texts(frame, schema).write_parquet(at / f"{name}.parquet")
        settings = {
            "tables": {name: str(at / f"{name}.parquet") for name in tables},
            "halves": [[c.name for c in half] for half in dealt(schema)],
            "known": [c.name for c in auxiliary_columns(schema)],
            "secrets": {c.name: c.numeric for c in secret_columns(schema)},
            "seeds": list(seeds),
            "attacks": attacks,
            "out": str(at / "out.json"),
        }
        (at / "settings.json").write_text(json.dumps(settings))
        _called([str(_python()), str(PEERS / f"run_{PACKAGE}.py"), str(at / "settings.json")])
        return json.loads((at / "out.json").read_text())


def _texts(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return frame.select(
        pl.col(c.name).cast(pl.String) if c.kind is Kind.CATEGORY else pl.col(c.name) for c in schema.columns
    )


def _python() -> Path:
    """The interpreter of the peer's environment, made on first use."""
    home = ENVIRONMENTS.resolve() / PACKAGE
    python = home / "bin" / "python"
    if not python.exists():
        lines = (PEERS / "requirements.txt").read_text(encoding="utf-8").splitlines()
        wanted = next(line.partition(": ")[2] for line in lines if line.startswith(f"{PACKAGE}: "))
        _called([sys.executable, "-m", "venv", str(home)])
        _called([str(python), "-m", "pip", "install", "-q", *wanted.split()])
    return python


def _called(command: list[str]) -> None:
    single = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=single)
    if done.returncode:
        raise PeerError(f"{PACKAGE}: {said(done.stderr)} (exit code {done.returncode})")
