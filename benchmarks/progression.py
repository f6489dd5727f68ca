"""Measured figures of the progression synthesizer: ``python -m benchmarks.progression [--splits 5]``.

Belongs here: fidelity on the whole cohort and prediction for held-out patients, with and without privacy, written to
``docs/benchmarks/progression.csv`` (delete it to measure again). Does not belong here: the metrics themselves (``metrics``).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from metrics.fidelity.trajectories import trajectories
from metrics.plots.trajectories import trajectories_plot
from metrics.utility.calibration import calibration_points
from metrics.utility.progression_risk import cox_risk, risk_report, simulated_risk
from models.first_visit import first_schema
from models.progression import ProgressionSynthesizer
from records.accounting import epsilon_to_rho
from records.longitudinal import LongitudinalSchema, Records
from use_cases.longitudinal_cohort import LongitudinalCohort, longitudinal_cohorts

DOCS = Path(__file__).parents[1] / "docs"
CSV = DOCS / "benchmarks" / "progression.csv"
DELTA, HORIZON, EVENT, TRAIN_SHARE = 1e-5, 1826, "death", 0.7
SEEDS, HISTORIES = 5, 100
EPSILONS = (None, 5.0, 1.0)
Row = dict[str, Any]


def fitted(records: Records, schema: LongitudinalSchema, epsilon: float | None, seed: int) -> ProgressionSynthesizer:
    """A synthesizer with repeatable noise."""
    budget = None if epsilon is None else epsilon_to_rho(epsilon, DELTA)
    model = ProgressionSynthesizer(delta=DELTA, secure=False)
    return model.fit(records, schema, budget=budget, rng=np.random.default_rng(seed))


def fidelity(cohort: LongitudinalCohort, epsilon: float | None) -> Iterator[Row]:
    """Distances beside their floor, and incidence at some years; one row for each figure and seed."""
    schema, records = cohort.records, cohort.load()
    for seed in range(SEEDS):
        model = fitted(records, schema, epsilon, seed)
        made = model.sample(max(model.total_, records.patients.height), rng=np.random.default_rng(seed))
        report = trajectories(records, made, schema, seed=seed, bootstraps=50, splits=10).to_json()
        named = {"cohort": cohort.name, "epsilon": epsilon, "seed": seed}
        for name, sides in report["distances"].items():
            yield named | {"figure": name, "value": sides["synthetic"], "reference": sides["floor"]}
        for event, curve in report["incidence"]["events"].items():
            for year, at in curve["at"].items():
                yield named | {"figure": f"{event} {year}", "value": at["synthetic"], "reference": at["real"]}
        if seed == 0 and cohort.name == "pbcseq" and epsilon == 5:
            (DOCS / "progression.png").write_bytes(trajectories_plot(report, note="pbcseq, epsilon 5"))


def prediction(cohort: LongitudinalCohort, epsilon: float | None, splits: int) -> Iterator[Row]:
    """Five-year death of held-out patients, each simulated from baseline and first visit, beside a Cox model."""
    schema, records = cohort.records, cohort.load()
    pooled: dict[str, list[tuple[float, bool]]] = {"simulated": [], "cox": []}
    for seed in range(100, 100 + splits):
        order = np.random.default_rng(seed).permutation(records.patients.height)
        ids, cut = records.patients[schema.patient_id], int(TRAIN_SHARE * order.size)
        train, test = (records.of(schema.patient_id, ids[np.sort(part)]) for part in (order[:cut], order[cut:]))
        risks = {
            "simulated": _risk(train, test, schema, epsilon, seed),
            "cox": cox_risk(train, test, schema, EVENT, HORIZON),
        }
        for name, risk in risks.items():
            report = risk_report(risk, test, schema, EVENT, HORIZON, seed=seed)
            named = {"cohort": cohort.name, "epsilon": epsilon, "seed": seed}
            for figure, value in (("auc", report.auc), ("brier", report.brier), ("mean risk", report.mean_risk)):
                yield named | {"figure": f"{name} {figure}", "value": value, "reference": report.observed}
            time, ended = test.patients[schema.follow_up.name].to_numpy(), test.patients[schema.event.name]
            died = (ended == EVENT).to_numpy() & (time <= HORIZON)
            known = died | (time >= HORIZON) | (ended != schema.censored).to_numpy()
            pooled[name] += list(zip(risk[known].tolist(), died[known].tolist(), strict=True))
    for name, pairs in pooled.items():
        risk, died = (np.array(part) for part in zip(*pairs, strict=True))
        for i, point in enumerate(calibration_points(risk, died)):
            yield {
                "cohort": cohort.name, "epsilon": epsilon, "seed": None, "figure": f"{name} calibration {i + 1}",
                "value": point["predicted"], "reference": point["observed"],
            }  # fmt: skip


def _risk(
    train: Records, test: Records, schema: LongitudinalSchema, epsilon: float | None, seed: int
) -> np.ndarray:  # fmt: skip
    first = test.visits.filter(pl.col(schema.day) == 0)
    known = test.patients.join(first, on=schema.patient_id, maintain_order="left")
    given = known.select(first_schema(schema).names)
    repeated = given[np.repeat(np.arange(given.height), HISTORIES)]
    made = fitted(train, schema, epsilon, seed).sample(rng=np.random.default_rng(seed), given=repeated)
    return simulated_risk(made, schema, EVENT, HORIZON, each=HISTORIES)


def main() -> None:
    """Run what the CSV does not hold yet, and print means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=5)
    splits = parser.parse_args().splits
    rows: list[Row] = pl.read_csv(CSV).to_dicts() if CSV.exists() else []
    done = {(row["cohort"], row["epsilon"]) for row in rows}
    for cohort in longitudinal_cohorts().values():
        for epsilon in EPSILONS:
            if (cohort.name, epsilon) in done:
                continue
            rows += [*fidelity(cohort, epsilon), *prediction(cohort, epsilon, splits)]
            pl.DataFrame(rows, infer_schema_length=None).write_csv(CSV, float_precision=4)
            print(cohort.name, epsilon, len(rows), flush=True)
    table, means = pl.DataFrame(rows, infer_schema_length=None), pl.col("value", "reference").mean()
    shown = table.group_by("cohort", "epsilon", "figure", maintain_order=True).agg(means, sd=pl.col("value").std())
    with pl.Config(tbl_rows=-1):
        print(shown)


if __name__ == "__main__":
    main()
