"""Which p-values of a release may be trusted?

Belongs here: agreement of common tests on one release with the same tests on the training patients, and the words that
say what to make of p-values. Does not belong here: the tests (``battery``) or their error rates (``error_rates``).

A single release can only show how its findings agree. Whether its p-values are right shows in repetition, which needs
the synthesizer: without it the report says that nobody knows. Tests that treat a differentially private table as real
patients ignore its noise, and are expected to find too much.

References
----------
Montoya Perez et al., 2024, Methods Inf Med, doi:10.1055/a-2385-1355. Raghunathan, Reiter and Rubin, 2003, J Off Stat
19:1 (pooling over synthetic tables). Devlin and Roeder, 1999, Biometrics 55:997 (genomic control).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.discrimination import clopper_pearson
from metrics.plain import plain
from metrics.utility.battery import LABELS, Association, battery, holm
from metrics.utility.error_rates import LEVEL, ErrorRates, Refit, error_rates
from records.schema import Outcome, Schema

MEDIAN_CHI_SQUARED = 0.4549364  # with one degree of freedom
ADVICE = (
    "Tests that treat a differentially private table as real patients ignore its noise and are expected to find too "
    "much (Montoya Perez et al., 2024). Ask for several tables (sample_tables), analyse each one and pool the results "
    "(Raghunathan, Reiter and Rubin, 2003): the pooled p-values and intervals account for the noise."
)


@dataclass(frozen=True)
class InferenceReport:
    """Aggregates only; ``None`` where it cannot be had, and ``reason`` says why.

    Parameters
    ----------
    rows : int
        Rows of each table, the same number: the larger one is cut at random.
    tests : sequence of mapping
        ``test``, ``column``, ``label``; for ``real`` and ``synthetic`` the effect with ``_lower`` and ``_upper``,
        ``_p`` and Holm's ``_adjusted_p``; ``finding`` (real), ``found`` (synthetic, same sign).
    found, falsely_found : mapping or None
        ``share``, ``lower``, ``upper``, ``count``, ``of``: real findings that are found; real non-findings that are
        significant in the synthetic table.
    coverage : mapping or None
        Share of real estimates inside the synthetic 95 % interval: 95 % if only the drawing of patients from a right
        model moved the estimates, 83 % between two independent samples of one population.
    inflation : float or None
        Factor by which the synthetic table's standard errors are too small for its distance from the real estimates,
        from the median squared distance in standard errors (as genomic control does); 1 is right, 1.4 is two
        independent samples of one population, 0 a copy.
    error_rates : ErrorRates or None
        Only with a synthesizer.
    plain : str
        Which p-values may be trusted, in words.
    """

    rows: int
    reason: str | None
    tests: Sequence[Mapping[str, Any]]
    found: Mapping[str, float] | None
    falsely_found: Mapping[str, float] | None
    coverage: Mapping[str, float] | None
    inflation: float | None
    error_rates: ErrorRates | None
    plain: str
    advice: str = ADVICE

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def inference_validity(
    train: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    outcome: Outcome,
    *,
    rng: np.random.Generator,
    refit: Refit | None = None,
    repetitions: int = 100,
) -> InferenceReport:
    """Compare tests on a release with tests on its training patients; with ``refit`` measure their error rates.

    Parameters
    ----------
    train, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    rng : numpy.random.Generator
        Cuts tables to one size, permutes and resamples.
    refit : callable or None
        Training table and random generator to a synthetic table of as many rows.
    repetitions : int
        Twice as many tables are made.
    """
    rows = min(train.height, synthetic.height)
    real, made = (battery(_cut(frame, rows, rng), schema, outcome) for frame in (train, synthetic))
    rates = error_rates(train, schema, outcome, refit, repetitions=repetitions, rng=rng) if refit else None
    tests = _tests(real, made, schema)
    usable = [t for t in tests if np.isfinite(t["real_p"]) and np.isfinite(t["synthetic_p"])]
    reason = None if usable else "no test could be done on both tables: too few rows of a class"
    effects = [t for t in usable if np.isfinite(t["real"]) and np.isfinite(t["synthetic_lower"])]
    inside = [t["synthetic_lower"] <= t["real"] <= t["synthetic_upper"] for t in effects]
    figures = {
        "found": _share([t["found"] for t in usable if t["finding"]]),
        "falsely_found": _share([t["synthetic_adjusted_p"] < LEVEL for t in usable if not t["finding"]]),
        "coverage": _share(inside),
    }
    return InferenceReport(
        rows, reason, tests, figures["found"], figures["falsely_found"], figures["coverage"], _inflation(real, made),
        rates, _words_of_rates(rates) if rates else _words_of_release(figures),
    )  # fmt: skip


def _cut(frame: pl.DataFrame, rows: int, rng: np.random.Generator) -> pl.DataFrame:
    return frame if frame.height == rows else frame[rng.choice(frame.height, rows, replace=False)]


def _tests(real: Sequence[Association], made: Sequence[Association], schema: Schema) -> list[dict[str, Any]]:
    adjusted = [holm([a.p_value for a in side]) for side in (real, made)]
    tests = []
    for at, (one, other) in enumerate(zip(real, made, strict=True)):
        finding, again = (bool(side[at] < LEVEL) for side in adjusted)
        named = {"test": one.test, "column": one.column, "label": schema[one.column].label}
        for side, association, p_values in (("real", one, adjusted[0]), ("synthetic", other, adjusted[1])):
            named |= {side: association.value, f"{side}_lower": association.lower, f"{side}_upper": association.upper}
            named |= {f"{side}_p": association.p_value, f"{side}_adjusted_p": p_values[at]}
        opposite = one.value * other.value < 0
        tests.append(named | {"finding": finding, "found": finding and again and not opposite})
    return tests


def _share(hits: Sequence[bool]) -> dict[str, float] | None:
    if not hits:
        return None
    share = clopper_pearson(int(sum(hits)), len(hits))
    named = {"share": share.value, "lower": share.lower, "upper": share.upper}
    return named | {"count": int(sum(hits)), "of": len(hits)}


def _inflation(real: Sequence[Association], made: Sequence[Association]) -> float | None:
    distances = np.array([(b.value - a.value) / b.error for a, b in zip(real, made, strict=True) if b.error > 0])
    known = distances[np.isfinite(distances)]
    return float(np.sqrt(np.median(known**2) / MEDIAN_CHI_SQUARED)) if known.size else None


def _words_of_release(figures: Mapping[str, Mapping[str, float] | None]) -> str:
    """What one release shows, without its synthesizer."""
    found, false = figures["found"], figures["falsely_found"]
    parts = [f"{found['count']:.0f} of {found['of']:.0f} findings in real patients were found"] if found else []
    if false:
        parts.append(f"{false['count']:.0f} of {false['of']:.0f} tests without a finding in real patients found one")
    shown = f" In this release, {' and '.join(parts)}." if parts else ""
    return f"Do not trust p-values: how often they are wrong was not measured, which takes repeated synthesis.{shown}"


def _words_of_rates(rates: ErrorRates) -> str:
    """Which tests may be trusted, as measured."""
    verdicts = {kind: str(test["verdict"]) for kind, test in rates.tests.items()}
    trusted = [LABELS[kind] for kind, verdict in verdicts.items() if verdict == "trusted"]
    wrong = [kind for kind, verdict in verdicts.items() if verdict == "not trusted"]
    unsure = [LABELS[kind] for kind, verdict in verdicts.items() if verdict == "unknown"]
    words = [f"p-values may be trusted for {_listed(trusted)}."] if trusted else []
    if wrong:
        worst = max(wrong, key=lambda kind: rates.tests[kind]["type_one"]["share"])
        which = "" if not (trusted or unsure) else f" of {_listed([LABELS[kind] for kind in wrong])}"
        words.insert(0, f"Do not trust p-values{which}: {_rate(rates.tests[worst]['type_one'], LABELS[worst])}.")
    if unsure:
        words.append(f"For {_listed(unsure)} the repetitions were too few to tell: do not trust them.")
    return " ".join(words) or "Do not trust p-values: no test could be done on the synthetic tables."


def _rate(type_one: Mapping[str, float], name: str) -> str:
    share, low, high = (f"{100 * type_one[key]:.0f}" for key in ("share", "lower", "upper"))
    return f"a test ({name}) that should be wrong in 5 % of cases was wrong in {share} % ({low} to {high} %)"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
