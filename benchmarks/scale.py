"""Rows to seconds and MiB: ``python -m benchmarks.scale 10000 100000 1000000``.

Belongs here: a schema-driven generator of tables that no patient stands behind, and the stages timed on them.
Each size runs in a process of its own, so that peak memory is its own.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from models.registry import build
from records.accounting import epsilon_to_rho
from records.schema import Column, Kind, Outcome, Role, Schema
from records.validation import validate

PAGE = Path("docs/benchmarks/scale.md")


def generated_schema() -> Schema:
    """Twenty columns of every kind that cohorts have."""
    yes_no = {"0": "no", "1": "yes"}
    number = {"kind": Kind.NUMBER, "minimum": 0, "maximum": 100, "step": 0.1, "role": Role.COVARIATE, "missing": True}
    columns = [
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=18, maximum=120,
               top_code=90, generalise=5),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={"f": "F", "m": "M"}),
        *[Column(name=f"yes_{i}", label=f"Yes {i}", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=yes_no)
          for i in range(7)],
        *[Column(name=f"number_{i}", label=f"Number {i}", **number) for i in range(8)],
        Column(name="time", label="Follow-up", role=Role.TIME, kind=Kind.INTEGER, minimum=0, maximum=999,
               bins=(100, 200, 366, 600)),
        Column(name="event", label="Event", role=Role.EVENT, kind=Kind.CATEGORY, levels=yes_no),
    ]  # fmt: skip
    outcome = Outcome(name="event_1y", label="Event within a year", horizon=365)
    return Schema(name="generated", title="Generated", columns=tuple(columns), outcomes=(outcome,))


def generate(schema: Schema, rows: int, seed: int) -> pl.DataFrame:
    """Uniform values inside the codebook, 10 % missing where allowed; a generator, not a cohort."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame([_values(column, rows, rng) for column in schema.columns])


def measure(rows: int) -> dict[str, float]:
    """Seconds per stage and peak MiB at one size."""
    schema = generated_schema()
    state = {"raw": generate(schema, rows, 0)}
    seconds = {"rows": rows}

    def timed(stage: str, work: object) -> object:
        start = time.perf_counter()
        done = work()  # type: ignore[operator]
        seconds[stage] = round(time.perf_counter() - start, 2)
        return done

    table = timed("validation", lambda: validate(state.pop("raw"), schema, source="generated"))
    made = timed("de-identification", lambda t=table: deidentify(t, schema, key=b"k" * 32, k=5))  # type: ignore[arg-type]
    released, rng = released_schema(schema), np.random.default_rng(0)
    train = made.frame.filter(~pl.col("holdout")).select(released.names)  # type: ignore[attr-defined]
    del table, made
    for name, budget in (("auto", epsilon_to_rho(1, 1e-5)), ("copula", None)):
        model = build(name, delta=1e-5)
        timed(f"{name} fit", lambda m=model, b=budget: m.fit(train, released, budget=b, rng=rng))
        timed(f"{name} sample", lambda m=model: m.sample(rng=rng))
    seconds["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return seconds


def _values(column: Column, rows: int, rng: np.random.Generator) -> pl.Series:
    if column.kind is Kind.TEXT:
        return pl.Series(column.name, [f"p{i}" for i in range(rows)])
    if column.kind is Kind.CATEGORY:
        names = list(column.levels)
        return pl.Series(column.name, np.array(names)[rng.integers(len(names), size=rows)])
    values = pl.Series(column.name, rng.uniform(column.minimum, column.maximum, rows).round(1))  # type: ignore[arg-type]
    if column.kind is Kind.INTEGER:
        return values.round().cast(pl.Int64)
    return pl.select(pl.when(pl.Series(rng.random(rows) > 0.1)).then(values)).to_series().alias(column.name)


def _page(results: list[dict[str, float]]) -> str:
    head = list(results[0])
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(f'{r[k]:,}' for k in head)} |" for r in results]
    title = (
        "# Scale\n\nSeconds per stage on a generated table of 20 columns (`python -m benchmarks.scale`), 2 cores.\n\n"
    )
    return title + "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        command = [sys.executable, "-m", "benchmarks.scale", "--one"]
        results = [json.loads(subprocess.check_output([*command, size])) for size in sys.argv[1:]]
        PAGE.write_text(_page(results), encoding="utf-8")
        print(PAGE.read_text(encoding="utf-8"))
