r"""Cox regression on synthetic patients beside the same regression on real ones.

Belongs here: concordance of both models on the real holdout, and agreement of their coefficients. Does not belong here:
survival curves (``fidelity.kaplan_meier``) or tests of single columns (``inference_validity``).

Both models have the same terms, in units of the real training table: numbers per standard deviation (median where
missing, with an indicator), categories against the most frequent level. A level with fewer than 20 rows in either table
joins the reference level. The mean interval overlap of a coefficient is half the sum of the shares of each 95 % interval
that the other one covers; 1 is the same interval, 0 means apart.

References
----------
Cox, 1972, J R Stat Soc B 34:187. Karr, Kohnen, Oganian, Reiter and Sanil, 2006, Am Stat 60:224 (interval overlap).
Harrell, Lee and Mark, 1996, Stat Med 15:361 (concordance).
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError

from metrics.discrimination import Z95, percentile_interval, resampling_weights
from metrics.plain import plain
from metrics.utility.concordance import weighted_concordances
from metrics.utility.regression_terms import Terms, regression_terms
from records.outcome import survival
from records.schema import Column, Schema

MOST_ROWS = 20_000
MOST_HOLDOUT = 4_000
FEWEST_EVENTS = 10
BOOTSTRAPS = 200
STEP_SIZES = (0.5, 0.1)  # outlying values send full Newton steps astray


@dataclass(frozen=True)
class CoxReport:
    """Aggregates only; ``None`` where it cannot be had, and ``reason`` says why.

    Parameters
    ----------
    rows, events : mapping
        Used of ``train``, ``synthetic`` (20,000 at most each, drawn at random) and ``holdout`` (4,000 at most).
    trtr_concordance, tstr_concordance, concordance_loss : mapping or None
        ``value``, ``lower``, ``upper``: on the real holdout, 95 % patient bootstrap, the loss paired.
    coefficients : sequence of mapping
        ``name``, ``label``, ``real`` and ``synthetic`` log hazard ratio with ``_lower`` and ``_upper``, ``overlap``.
    interval_overlap : float or None
        Mean over coefficients, 0 to 1.
    agreement : float or None
        Share of coefficients of the same sign and significance (5 %), or not significant in both.
    coverage : float or None
        Share of real estimates inside the synthetic 95 % interval.
    """

    rows: Mapping[str, int]
    events: Mapping[str, int]
    reason: str | None
    trtr_concordance: Mapping[str, float] | None = None
    tstr_concordance: Mapping[str, float] | None = None
    concordance_loss: Mapping[str, float] | None = None
    coefficients: Sequence[Mapping[str, Any]] = ()
    interval_overlap: float | None = None
    agreement: float | None = None
    coverage: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


@dataclass(frozen=True)
class Coefficients:
    """Log hazard ratios and their standard errors, each of shape (terms,)."""

    value: np.ndarray
    error: np.ndarray

    @property
    def lower(self) -> np.ndarray:
        """Lower 95 % limits."""
        return self.value - Z95 * self.error

    @property
    def upper(self) -> np.ndarray:
        """Upper 95 % limits."""
        return self.value + Z95 * self.error

    @property
    def finding(self) -> np.ndarray:
        """Sign of the significant coefficients, 0 for the others."""
        return np.sign(self.value) * (np.abs(self.value) > Z95 * self.error)


def cox_agreement(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    columns: Sequence[Column],
    *,
    rng: np.random.Generator,
    bootstraps: int = BOOTSTRAPS,
) -> CoxReport:
    """Fit Cox regression to real and synthetic patients and compare.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    columns : sequence of Column
        Covariates.
    rng : numpy.random.Generator
        Draws subsamples and resamples.
    """
    if schema.time is None or schema.event is None:
        return CoxReport({}, {}, "the schema has no time and event column")
    limits = {"train": MOST_ROWS, "holdout": MOST_HOLDOUT, "synthetic": MOST_ROWS}
    sources = {"train": train, "holdout": holdout, "synthetic": synthetic}
    frames = {name: _known(frame, schema, limits[name], rng) for name, frame in sources.items()}
    ends = {name: survival(frame, schema) for name, frame in frames.items()}
    rows = {name: frame.height for name, frame in frames.items()}
    events = {name: int(end["event"].sum()) for name, end in ends.items()}
    if few := [name for name, count in events.items() if count < FEWEST_EVENTS]:
        return CoxReport(rows, events, f"fewer than {FEWEST_EVENTS} events in {' and '.join(few)}")
    terms = regression_terms(columns, frames["train"], frames["synthetic"])
    if not terms.names:
        return CoxReport(rows, events, "no covariate varies in both tables")
    designs = {name: terms.design(frame) for name, frame in frames.items()}
    fits = {name: cox_regression(designs[name], ends[name]) for name in ("train", "synthetic")}
    if failed := [name for name, fit in fits.items() if fit is None]:
        return CoxReport(rows, events, f"the partial likelihood has no maximum in {' and '.join(failed)}")
    known = {name: fit for name, fit in fits.items() if fit is not None}
    weights = np.vstack([np.ones(rows["holdout"]), resampling_weights(rows["holdout"], bootstraps, rng)])
    concordances = _concordances(known, designs["holdout"], ends["holdout"], weights)
    return CoxReport(rows, events, None, **concordances, **compare(terms, known["train"], known["synthetic"]))


def cox_regression(design: np.ndarray, ends: pl.DataFrame) -> Coefficients | None:
    """Cox regression with Efron's ties; ``None`` where the partial likelihood has no maximum.

    Parameters
    ----------
    design : numpy.ndarray of float, shape (rows, terms)
    ends : polars.DataFrame
        ``time`` and ``event`` of each row.
    """
    table = pd.DataFrame({f"x{i}": values for i, values in enumerate(design.T)})
    table["time"], table["event"] = ends["time"].to_numpy(), ends["event"].to_numpy()
    for step in STEP_SIZES:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a poor fit shows in its standard errors
                fitted = CoxPHFitter().fit(table, "time", "event", fit_options={"step_size": step})
        except (ConvergenceError, np.linalg.LinAlgError, ValueError):
            continue
        found = Coefficients(fitted.params_.to_numpy(), fitted.standard_errors_.to_numpy())
        return found if np.isfinite(found.value).all() and np.isfinite(found.error).all() else None
    return None


def interval_overlap(first: Coefficients, second: Coefficients) -> np.ndarray:
    """Karr's mean overlap of 95 % intervals, shape (terms,), 0 (apart) to 1 (the same)."""
    shared = np.minimum(first.upper, second.upper) - np.maximum(first.lower, second.lower)
    shares = shared / (first.upper - first.lower) + shared / (second.upper - second.lower)
    return np.maximum(shares / 2, 0.0)


def compare(terms: Terms, real: Coefficients, synthetic: Coefficients) -> dict[str, Any]:
    """Overlap, agreement and coverage of two sets of coefficients of the same terms."""
    overlap = interval_overlap(real, synthetic)
    inside = (synthetic.lower <= real.value) & (real.value <= synthetic.upper)
    named = zip(terms.names, terms.labels, strict=True)
    sides = {"real": real, "synthetic": synthetic}
    return {
        "coefficients": [
            {"name": name, "label": label}
            | {side: found.value[i] for side, found in sides.items()}
            | {f"{side}_lower": found.lower[i] for side, found in sides.items()}
            | {f"{side}_upper": found.upper[i] for side, found in sides.items()}
            | {"overlap": overlap[i]}
            for i, (name, label) in enumerate(named)
        ],
        "interval_overlap": float(overlap.mean()),
        "agreement": float(np.mean(real.finding == synthetic.finding)),
        "coverage": float(inside.mean()),
    }


def _known(frame: pl.DataFrame, schema: Schema, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """Rows with a known, positive follow-up, ``most`` of them."""
    if schema.time is None or schema.event is None:
        return frame.clear()
    known = frame.drop_nulls([schema.time.name, schema.event.name])
    return known if known.height <= most else known[rng.choice(known.height, most, replace=False)]


def _concordances(
    fits: Mapping[str, Coefficients], design: np.ndarray, ends: pl.DataFrame, weights: np.ndarray
) -> dict[str, dict[str, float]]:
    time, event = ends["time"].to_numpy(), ends["event"].to_numpy()
    found = {
        "trtr_concordance": weighted_concordances(design @ fits["train"].value, time, event, weights),
        "tstr_concordance": weighted_concordances(design @ fits["synthetic"].value, time, event, weights),
    }
    found["concordance_loss"] = found["trtr_concordance"] - found["tstr_concordance"]
    intervals = {name: percentile_interval(float(values[0]), values[1:]) for name, values in found.items()}
    return {name: {"value": i.value, "lower": i.lower, "upper": i.upper} for name, i in intervals.items()}
