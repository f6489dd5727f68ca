"""What is gained or lost when a classifier learns from synthetic images, alone or beside few real ones?

Belongs here: learning curves over the number of real patients that a site has. Does not belong here: training
(``train_test``) or running the study as a job (``assets``).

At each number n of patients: ``real``, n random real patients; ``synthetic``, n synthetic ones; ``both``, the same n real
patients and all synthetic images. Each seed draws its own patients. The test patients were seen by nobody. A synthesizer
that learnt from patients of the site itself does not make its sample larger: ``both`` tells what a site gains from images
of others only where the synthesizer learnt elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from metrics.images.train_test import HEADLINE, REAL, SEEDS, train_test
from metrics.plain import plain
from records.errors import ParameterError
from records.images import INDEX, ImageSchema, ImageTable

SIZES = (50, 100, 200, 500, 1000)
FORMAT = "phaseiv-image-decision-support/1"


def decision_support(
    train: ImageTable, synthetic: ImageTable, holdout: ImageTable, schema: ImageSchema, *,
    sizes: Sequence[int] = SIZES, seeds: Sequence[int] = SEEDS, model: str = HEADLINE,
) -> dict[str, Any]:  # fmt: skip
    """Learning curves as strict JSON.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of real patients; those above all are left out, and all are added.
    seeds : sequence of int
        Of the draws of patients and of training.
    model : str
        Name in ``classifiers.CLASSIFIERS``.

    Returns
    -------
    dict
        ``phantom``, ``unit`` (patient, or image where no patient is known), ``test_patients`` and ``rows``: a list of ``patients``, ``source``, ``reason``, ``auc`` and ``gain``
        (over the same real patients alone), the last two with ``value``, ``lower`` and ``upper`` over patients and seeds.

    Raises
    ------
    ParameterError
        A size is below 2 or there is no synthetic image.
    """
    if min(sizes, default=2) < 2 or not len(synthetic):
        raise ParameterError("sizes must be 2 or more, with a synthetic image; give others")
    most = len(train.patients)
    steps = [*sorted({size for size in sizes if size < most}), most]
    rows = [row for size in steps for row in _at_size(size, train, synthetic, holdout, schema, seeds, model)]
    return plain(
        {"format": FORMAT, "cohort": schema.name, "phantom": schema.phantom, "unit": schema.privacy_unit, "model": model, "seeds": list(seeds),
         "label": schema.label.label, "test_patients": len(holdout.patients), "rows": rows}
    )  # fmt: skip


def _at_size(
    size: int, train: ImageTable, synthetic: ImageTable, holdout: ImageTable, schema: ImageSchema,
    seeds: Sequence[int], model: str,
) -> list[dict[str, Any]]:  # fmt: skip
    real = [some_patients(train, size, seed, schema) for seed in seeds]
    made = [some_patients(synthetic, size, seed, schema) for seed in seeds]
    both = [together(part, synthetic, schema) for part in real]
    report = train_test({REAL: real, "synthetic": made, "both": both}, holdout, schema, seeds=seeds, models=(model,))
    return [
        {
            "patients": size, "source": name, "reason": side.reason, "auc": side.auc,
            "gain": {"value": 0 - side.loss.value, "lower": 0 - side.loss.upper, "upper": 0 - side.loss.lower},
        }
        for name, side in report.sides[model].items()
    ]  # fmt: skip


def some_patients(table: ImageTable, size: int, seed: int, schema: ImageSchema) -> ImageTable:
    """All images of so many random patients, as many of each label as the table's shares say, as near as whole ones can."""
    label = schema.label.name
    first = table.rows.group_by("pseudonym").agg(pl.col(label).drop_nulls().first()).sort("pseudonym")
    rng = np.random.default_rng(seed)
    shuffled = first.with_columns(at=pl.Series(rng.random(first.height)))
    # The place within its own label, as a share: taking the smallest keeps the labels' shares.
    place = (pl.col("at").rank("ordinal").over(label) - pl.col("at")) / pl.len().over(label)
    return table.of_patients(shuffled.sort(place)["pseudonym"].head(size).to_list())


def together(one: ImageTable, other: ImageTable, schema: ImageSchema) -> ImageTable:
    """Images of both, with index and main label only."""
    columns = [*INDEX, schema.label.name]
    rows = pl.concat([part.rows.select(columns).cast({schema.label.name: pl.String}) for part in (one, other)])
    pixels = np.concatenate([part.pixels.astype(np.float32) for part in (one, other)])
    return replace(one, rows=rows, pixels=pixels, masks=None)
