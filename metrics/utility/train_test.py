"""Train on one side, test on real patients: the fitted models that every figure of utility shares.

Belongs here: training both sides once, and each side's choice of its model. Does not belong here: figures
(``prediction``, ``decision_curve``, ``importance``, ``fairness``).

The test patients never choose anything. Each side picks its model by three-fold cross-validation on its own training
table: the synthetic side as a user of the release would, the real side likewise.

References
----------
Esteban, Hyland and Raetsch, 2017, arXiv:1706.02633 (TSTR).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from metrics.utility.classifiers import Fit, classifiers, fit_and_predict
from metrics.utility.features import LabelledTable, feature_columns, labelled
from records.schema import Column, Outcome, Schema

# Below this, threads cost more than they bring; on a busy machine, where they wait for each other, 8 times.
FEWEST_ROWS_FOR_THREADS = 100_000
TRAINED_ON = {"trtr": "train", "tstr": "synthetic"}


@dataclass(frozen=True)
class TrainTest:
    """Models of both sides. Never stored: it holds rows.

    Parameters
    ----------
    tables : mapping
        ``train``, ``holdout``, ``synthetic`` to their rows with a known outcome.
    columns : sequence of Column
        Of the design matrix.
    fits : mapping
        Model to side (``trtr``, ``tstr``) to its fit; ``None`` where it could not be trained.
    chosen : mapping
        Side to the model with the best cross-validated AUC on that side's training table.
    """

    tables: Mapping[str, LabelledTable]
    columns: Sequence[Column]
    fits: Mapping[str, Mapping[str, Fit | None]]
    chosen: Mapping[str, str | None]

    @property
    def test(self) -> LabelledTable:
        """The real holdout patients with a known outcome."""
        return self.tables["holdout"]

    @property
    def chosen_fits(self) -> dict[str, Fit]:
        """Side to the fit of its chosen model, of the sides that could be trained."""
        fits = {side: self.fits[name][side] for side, name in self.chosen.items() if name is not None}
        return {side: fit for side, fit in fits.items() if fit is not None}

    @property
    def reason(self) -> str | None:
        """Why the outcome cannot be predicted, or ``None``."""
        if not self.columns:
            return "the schema has no column a classifier may see"
        single = [name for name, table in self.tables.items() if not table.two_classes]
        return f"the outcome has one class only in {' and '.join(single)}" if single else None


def train_test(
    train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema, outcome: Outcome, *, seed: int
) -> TrainTest:
    """Train every model on real and on synthetic patients and predict the holdout.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored.
    seed : int
        Of cross-validation and trees.
    """
    frames = {"train": train, "holdout": holdout, "synthetic": synthetic}
    tables = {name: labelled(frame, schema, outcome) for name, frame in frames.items()}
    columns = feature_columns(schema, outcome)
    small = max(table.rows for table in tables.values()) < FEWEST_ROWS_FOR_THREADS
    with threadpool_limits(limits=1 if small else None):
        sides = {side: _side(tables[source], tables["holdout"], columns, seed) for side, source in TRAINED_ON.items()}
    fits = {name: {side: sides[side][name] for side in sides} for name in sides["trtr"]}
    return TrainTest(tables, columns, fits, {side: _choose(fits, side) for side in TRAINED_ON})


def _side(source: LabelledTable, test: LabelledTable, columns: Sequence[Column], seed: int) -> dict[str, Fit | None]:
    models = classifiers(columns, seed, source.rows) if columns else {}
    return {name: fit_and_predict(model, source, test, seed) for name, model in models.items()}


def _choose(fits: Mapping[str, Mapping[str, Fit | None]], side: str) -> str | None:
    """The model with the best cross-validated AUC on its own training table; the first one if unknown."""
    scores = {name: fit.cross_validated.value for name, sides in fits.items() if (fit := sides[side]) is not None}
    return max(scores, key=lambda name: np.nan_to_num(scores[name], nan=-1.0)) if scores else None
