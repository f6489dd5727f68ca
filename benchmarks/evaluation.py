"""``phaseiv evaluate`` on tables of several tools: ``python -m benchmarks.evaluation``.

Belongs here: drawing the tables, calling the command as a user does, and the page that sets them side by side
(``docs/benchmarks/evaluation.md``). Does not belong here: the measures (``metrics``).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.synthesis.cohorts import CODEBOOKS, split
from benchmarks.synthesis.ours import drawn_by_ours
from benchmarks.synthesis.peer import drawn_by_peer
from metrics.reporting.headline import HEADLINES, at
from records.schema import Schema

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "evaluation.md"
COMMAND = Path(sys.executable).parent / "phaseiv"
TABLES = {
    "auto, epsilon 1": ("auto", 1.0),
    "dpmm MST, epsilon 1": ("dpmm-mst", 1.0),
    "trees": ("trees", 0.0),
    "synthpop CART": ("synthpop-cart", 0.0),
    "bootstrap copy": ("copy", 0.0),
    "independent columns": ("independent", 0.0),
}  # fmt: skip


def made(name: str, epsilon: float, train: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The table of one tool, seed 0."""
    rng = np.random.default_rng(0)
    if name == "copy":
        return train[rng.integers(train.height, size=train.height)]
    if name == "independent":
        return pl.DataFrame([train[c].gather(rng.permutation(train.height)) for c in schema.names])
    package, _, algorithm = name.partition("-")
    if algorithm:
        return drawn_by_peer(package, algorithm, train, schema, epsilon=epsilon, seed=0)[0]
    return drawn_by_ours(name, train, schema, epsilon=epsilon, seed=0)[0]


def evaluated(folder: Path, name: str) -> tuple[dict[str, Any], float]:
    """The evaluation's JSON and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    options = {"real": "real.parquet", "holdout": "holdout.parquet", "synthetic": f"{name}.parquet"}
    named = [word for key, file in options.items() for word in (f"--{key}", str(folder / file))]
    out = folder / f"{name}.html"
    command = [str(COMMAND), "evaluate", *named, "--schema", str(CODEBOOKS / "flchain.yaml"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if not out.exists():
        raise RuntimeError(done.stderr)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return json.loads(out.with_suffix(".json").read_bytes()), spent


def main() -> None:
    """Draw, evaluate, write the page."""
    train, holdout, schema = split("flchain", 0)
    found: dict[str, dict[str, Any]] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train.write_parquet(folder / "real.parquet")
        holdout.write_parquet(folder / "holdout.parquet")
        for name, (tool, epsilon) in TABLES.items():
            made(tool, epsilon, train, schema).write_parquet(folder / f"{tool}.parquet")
            found[name], seconds[name] = evaluated(folder, tool)
            print(name, found[name]["verdict"]["released"], round(seconds[name], 1), flush=True)
    PAGE.write_text("\n".join(_page(found, seconds)) + "\n", encoding="utf-8")


def _page(found: dict[str, dict[str, Any]], seconds: dict[str, float]) -> Iterator[str]:
    yield "# The same evaluation of six tables\n"
    yield (
        "Made by `python -m benchmarks.evaluation`: flchain, 5,511 training and 2,363 held-out patients, `phaseiv evaluate` "
        "on a table of\neach tool, one seed, default limits. No manifest lies beside the tables, so that epsilon is not "
        "stated to the command.\n"
    )
    yield "| figure | " + " | ".join(found) + " |\n|---|" + "---|" * len(found)
    for figure in HEADLINES:
        values = [at(document, figure.path) for document in found.values()]
        if any(isinstance(value, int | float) for value in values):
            yield f"| {figure.label} | " + " | ".join("-" if v is None else f"{v:.3f}" for v in values) + " |"
    yield "| CPU seconds | " + " | ".join(f"{s:.0f}" for s in seconds.values()) + " |"
    verdicts = ("passed" if d["verdict"]["released"] else "**refused**" for d in found.values())
    yield "| verdict | " + " | ".join(verdicts) + " |\n"
    for name, document in found.items():
        yield f"**{name}**: " + ("; ".join(document["verdict"]["reasons"]) or "all checks passed") + ".\n"


if __name__ == "__main__":
    main()
