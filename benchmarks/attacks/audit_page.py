"""The audit of the default synthesizer as a page: what it claims, and what an attacker can prove.

Belongs here: the audited table, its worst-case patient, the score, and the page. Does not belong here: the bounds
(``metrics.attacks.audit``).
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.attacks.comparison import table as lines
from deidentification.pipeline import deidentify
from deidentification.schema import released_schema
from metrics.attacks.audit import AuditReport, audit_scores
from metrics.attacks.audited import STORED
from metrics.attacks.canaries import added, canaries
from metrics.attacks.gaussian_dp import gaussian_epsilon
from models.attributes import encode_attributes
from models.estimation import Measurement
from models.graphical_synthesizer import GraphicalSynthesizer
from models.oracle import TableOracle
from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.schema import Schema
from use_cases.registry import discover

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
COLUMNS = ("sex", "diabetes", "smoking")
DELTA, LARGE_DELTA = 1e-5, 0.05
EPSILONS = (0.5, 1.0, 5.0)
WORDS = """# Audit of the synthesizer

Made by `python -m benchmarks.attacks audit`. An auditor who knows all other patients runs the default synthesizer (`auto`, fit
and sample, noise from the operating system) on the Copenhagen Stroke Study with and without one patient of the rarest levels, on
{columns}, {trials} times each, and tries to tell the two apart:

- **noisy counts**: by the likelihood ratio of all counts that a fit measures (which counts it chose is left out);
- **synthetic rows**: by how many rows equal the patient, all that a recipient sees.

A lower bound above the claim would prove a mistake; one below proves nothing. The *bound without assumption* holds with 95 %
confidence for any mechanism, but few runs cannot show a small claim at delta 1e-5: at delta 0.05, where the same zCDP budget
claims less, it says more. The *bound under Gaussian DP* assumes that the trade-off curve is that of Gaussian noise. The zCDP
claim itself exceeds what Gaussian noise spends ("Gaussian noise spends").

{table}
What the test suite plants and the audit catches (`tests/metrics/attacks/test_audit.py`, `test_audited_models.py`): noise scaled by 0.5, a
choice twice as sure, levels read from the data, several rows of one patient counted as one. An honest mechanism is accused in
at most 5 % of audits (measured on randomised response, which spends all it claims).
"""


def write_audit(trials: int, page: Path = PAGE) -> None:
    """Audit the default synthesizer at three epsilons and write the page."""
    cohort = discover()["stroke"].cohort("copenhagen")
    schema = released_schema(cohort.table).select(COLUMNS)
    frame = deidentify(cohort.load(), cohort.table, key=b"benchmark" * 4, k=5).frame.select(schema.names)
    rows = [row for epsilon in EPSILONS for row in _audited(frame, schema, epsilon, trials)]
    head = ["claim at delta 1e-5", "seen", "bound without assumption", "bound under Gaussian DP", "Gaussian noise spends",
            "claim at delta 0.05", "bound without assumption", "runs in each world", "verdict"]  # fmt: skip
    text = WORDS.format(columns=", ".join(COLUMNS), trials=trials, table=lines([head, *rows]))
    page.write_text(text, encoding="utf-8")
    _store(rows, trials)


def _store(rows: list[list[str]], trials: int) -> None:
    """The figures that reports show under a claim (``metrics.attacks.audited``)."""
    names = ("claimed_epsilon", "epsilon_lower", "gaussian_epsilon_lower")
    audits = [
        {"seen": row[1], "trials": trials, "verdict": row[-1]}
        | {name: float(row[at]) for name, at in zip(names, (0, 2, 3), strict=True)}
        for row in rows
    ]
    table = f"Copenhagen Stroke Study: {', '.join(COLUMNS)}"
    stored = {"synthesizer": "auto", "delta": DELTA, "table": table, "audits": audits}
    STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def scores(frame: pl.DataFrame, schema: Schema, rho: float, trials: int) -> dict[str, np.ndarray]:
    """Scores of runs with and without the canary, shape (2, trials), by what the auditor sees."""
    canary, rng = canaries(frame, schema)["rare"], np.random.default_rng(0)
    test = likelihood_ratio(frame, canary, schema)
    found: dict[str, list[list[float]]] = {"noisy counts": [], "synthetic rows": []}
    for table in (added(frame, canary), frame):
        models = [GraphicalSynthesizer().fit(table, schema, budget=rho, rng=rng) for _ in range(trials)]
        drawn = [model.sample(frame.height, rng=rng) for model in models]
        found["noisy counts"].append([test(model.measurements_) for model in models])
        found["synthetic rows"].append([float(d.join(canary, on=schema.names, how="semi").height) for d in drawn])
    return {seen: np.array(both) for seen, both in found.items()}


def likelihood_ratio(frame: pl.DataFrame, canary: pl.DataFrame, schema: Schema) -> Callable[[list[Measurement]], float]:
    """Log likelihood ratio of the canary given noisy counts, with the choice of counts left out."""
    truth, code = TableOracle(encode_attributes(frame, schema)), encode_attributes(canary, schema)

    def ratio(measurements: list[Measurement]) -> float:
        total = 0.0
        for m in measurements:
            cell = tuple(int(code[name][0][0]) for name in m.attributes)
            total += (m.counts[cell] - truth.measure(m.attributes, sigma=0)[cell] - 0.5) / m.sigma**2
        return float(total)

    return ratio


def _audited(frame: pl.DataFrame, schema: Schema, epsilon: float, trials: int) -> list[list[str]]:
    rho = epsilon_to_rho(epsilon, DELTA)
    return [
        _cells(seen, audit_scores(*both, claimed_epsilon=epsilon, delta=DELTA), _large(both, rho), rho)
        for seen, both in scores(frame, schema, rho, trials).items()
    ]


def _large(both: np.ndarray, rho: float) -> AuditReport:
    return audit_scores(*both, claimed_epsilon=rho_to_epsilon(rho, LARGE_DELTA), delta=LARGE_DELTA)


def _cells(seen: str, small: AuditReport, large: AuditReport, rho: float) -> list[str]:
    spent = gaussian_epsilon((2 * rho) ** 0.5, DELTA)
    verdict = "violated" if small.violated or large.violated else "not refuted"
    figures = (small.epsilon_lower, small.gaussian_epsilon_lower, spent, large.claimed_epsilon, large.epsilon_lower)
    return [f"{small.claimed_epsilon:g}", seen, *(f"{x:.2f}" for x in figures), f"{small.trials:,}", verdict]
