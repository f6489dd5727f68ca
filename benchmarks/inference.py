"""Do pooled p-values and intervals hold what they say? ``python -m benchmarks.inference --repetitions 500``.

Belongs here: repeated synthesis of samples from SUPPORT2, which stands for the population. For Type I error one column
is permuted within each sample, so that the null hypothesis is true; for coverage and power nothing is. Does not belong
here: the rules (``models.inference``). Results are stored after each cell; a stored cell is run again
only if it was compared with an older reference.
"""

import argparse
import itertools
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import track

from benchmarks.synthesis.cohorts import split
from models.graphical_synthesizer import GraphicalSynthesizer
from models.inference.estimates import Estimator, chi_squared, cox, logistic, mann_whitney, mean, proportion
from models.inference.pooling import pool
from records.accounting import epsilon_to_rho
from records.outcome import binary_outcome
from records.schema import Schema

DOCS = Path(__file__).parents[1] / "docs" / "benchmarks"
PATIENTS, TABLES, DELTA = 1000, 30, 1e-5
KEY = ["analysis", "permuted", "epsilon"]
REFERENCE = "averaged"  # what pooled estimates are compared with; cells of an older one say "Student's t"


@dataclass(frozen=True)
class Analysis:
    """Columns that are measured together, what is estimated from them, and the column to permute for a true null."""

    marginal: tuple[str, ...]
    estimator: Callable[[Schema], Estimator]
    permuted: str | None


def _death(schema: Schema) -> Callable[[pl.DataFrame], pl.Series]:
    return lambda table: binary_outcome(table, schema, schema.outcomes[0])


ANALYSES = {
    "Mann-Whitney: albumin by sex": Analysis(("sex", "albumin"), lambda _: mann_whitney("albumin", "sex"), "sex"),
    "chi-squared: race x diabetes": Analysis(("race", "diabetes"), lambda _: chi_squared("race", "diabetes"), "race"),
    "logistic: death on sex, diabetes": Analysis(
        ("sex", "diabetes", "class"), lambda s: logistic(_death(s), ["sex", "diabetes"]), "sex"
    ),
    "Cox: death on sex, diabetes": Analysis(
        ("sex", "diabetes", "time"), lambda _: cox("time", "event", ["sex", "diabetes"]), "sex"
    ),
    "proportion: diabetes": Analysis(("diabetes",), lambda _: proportion("diabetes", "1"), None),
    "mean: comorbidities": Analysis(("comorbidities",), lambda _: mean("comorbidities"), None),
}


@cache
def population() -> tuple[pl.DataFrame, Schema]:
    """All of SUPPORT2 and its schema; a mean needs bins of single comorbidities, for values are uniform inside a bin."""
    one, other, schema = split("support2", 0)
    finer = {"comorbidities": tuple(range(1, 9))}
    columns = tuple(c.model_copy(update={"bins": finer[c.name]}) if c.name in finer else c for c in schema.columns)
    return pl.concat([one, other]), schema.model_copy(update={"columns": columns})


def repeated(entry: tuple[str, bool, float, int]) -> tuple[bool, np.ndarray]:
    """One repetition: whether the joint null was rejected at 5 %, and which components' 95 % intervals hold the truth."""
    name, permuted, epsilon, seed = entry
    analysis, (patients, schema) = ANALYSES[name], population()
    rng = np.random.default_rng([seed, int(10 * epsilon), permuted])
    needed = [
        c for c in schema.names if c in analysis.marginal or ("class" in analysis.marginal and c in ("time", "event"))
    ]
    needed += ["event"] if "time" in analysis.marginal else []
    part = schema.select(needed)
    sample = patients.select(part.names)[rng.integers(patients.height, size=PATIENTS)]
    if permuted:
        sample = sample.with_columns(sample[analysis.permuted or ""].gather(rng.permutation(PATIENTS)))
    estimator, rho = analysis.estimator(part), epsilon_to_rho(epsilon, DELTA)
    model = GraphicalSynthesizer(selection="declared", marginals=[analysis.marginal], secure=False)
    model.fit(sample, part, budget=rho, rng=rng)
    found = pool([estimator(t) for t in model.sample_tables(TABLES, rng=rng)], patients=model.total_)
    truth, limits = estimator(patients.select(part.names)).value, found.interval()
    first = found.p_values()[0] if len(truth) <= 2 else found.joint_p_value()
    return bool(first < 0.05), (limits[:, 0] <= truth) & (truth <= limits[:, 1])


def cell(
    name: str, permuted: bool, epsilon: float, repetitions: int, workers: ProcessPoolExecutor
) -> dict[str, object]:
    """Rejections with the standard error of their share, and coverage, over repetitions."""
    entries = [(name, permuted, epsilon, seed) for seed in range(repetitions)]
    results = list(
        track(workers.map(repeated, entries, chunksize=5), total=repetitions, description=f"{name} {epsilon:g}")
    )
    rejected, covered = np.mean([r for r, _ in results]), np.mean([c for _, c in results])
    return dict(zip(KEY, (name, permuted, epsilon), strict=True)) | {
        "rejected": rejected, "covered": None if permuted else covered, "repetitions": repetitions,
        "reference": REFERENCE,
    }  # fmt: skip


def main() -> None:
    """Run the missing cells and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0, 0.5, 5.0])
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    store = DOCS / "inference.csv"
    rows = pl.read_csv(store).to_dicts() if store.exists() else []
    plan = itertools.product(asked.epsilon, ANALYSES, (True, False))
    # Polars' threads do not survive a fork.
    with ProcessPoolExecutor(asked.workers, multiprocessing.get_context("spawn")) as workers:
        for epsilon, name, permuted in plan:
            former = next((r for r in rows if tuple(r[k] for k in KEY) == (name, permuted, epsilon)), None)
            done = former is not None and former["reference"] == REFERENCE
            if not done and (ANALYSES[name].permuted or not permuted):
                measured = cell(name, permuted, epsilon, asked.repetitions, workers)
                rows = [r for r in rows if r is not former] + [measured]
                pl.DataFrame(rows, infer_schema_length=None).write_csv(store)
                (DOCS / "inference.md").write_text("\n".join(_page(rows)) + "\n", encoding="utf-8")


def _page(rows: list[dict[str, object]]) -> Iterator[str]:
    yield "# Valid inference from private synthetic tables\n"
    yield (
        f"Samples of {PATIENTS:,} patients from SUPPORT2, which stands for the population; {TABLES} synthetic tables each, "
        "noise-aware posterior,\npooled by the rules for fully synthetic data (`python -m benchmarks.inference`). "
        "Type I error: rejections at 5 % when one column is\npermuted. Power: rejections without. Coverage: 95 % intervals "
        "that hold the population's value. Delta 1e-5. Reference: `averaged` over what the variance between tables may be\n"
        "(`models.inference.pooling`), or `Student's t`, used before, which rejects too rarely where noise is low.\n"
    )
    yield "| analysis | epsilon | Type I error | power | coverage | repetitions | reference |\n|---|---|---|---|---|---|---|"
    for name, epsilon in dict.fromkeys((r["analysis"], r["epsilon"]) for r in rows):
        null, real = (
            next((r for r in rows if (r["analysis"], r["permuted"], r["epsilon"]) == (name, p, epsilon)), None)
            for p in (True, False)
        )
        most = max(int(str(r["repetitions"])) for r in (null, real) if r)
        cells = [null and null["rejected"], real and null and real["rejected"], real and real["covered"]]
        shown = " | ".join("-" if c is None else f"{100 * float(str(c)):.1f} %" for c in cells)
        yield f"| {name} | {epsilon:g} | {shown} | {most} | {(null or real or {})['reference']} |"


if __name__ == "__main__":
    main()
