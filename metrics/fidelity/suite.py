"""All fidelity figures of one synthetic table, on one set of references.

Belongs here: running the parts and joining their JSON. Does not belong here: any figure (the other modules), plots or
verdicts.
"""

from typing import Any

import numpy as np
import polars as pl

from metrics.candidate import candidate_hash
from metrics.fidelity.association import association
from metrics.fidelity.constraints import broken_rows
from metrics.fidelity.manifold import manifold
from metrics.fidelity.missingness import missingness
from metrics.fidelity.references import compared
from metrics.fidelity.survival import survival_references
from metrics.fidelity.table import table_fidelity
from metrics.fidelity.triples import triples
from metrics.fidelity.two_sample import two_sample
from metrics.fidelity.univariate import univariate
from records.schema import Schema


def fidelity_suite(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    candidate_sha256: str | None = None,
) -> dict[str, Any]:
    """Measure every kind of fidelity.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored, NaN counts as missing.
    rng : numpy.random.Generator
        Draws references, triples, samples and folds.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.

    Returns
    -------
    dict
        JSON of ``table.FidelityReport`` and of one report for each of ``triples``, ``univariate``, ``association``,
        ``two_sample``, ``missingness``, ``manifold`` and ``survival_references``; ``broken_rows`` and ``constraints``. A part that does not apply is
        ``None``, and ``reasons`` says why under its name.
    """
    tables = compared(train, holdout, synthetic, schema, rng=rng)
    table = table_fidelity(tables, candidate_hash(synthetic, candidate_sha256))
    parts = {
        "triples": triples(tables, rng=rng),
        "univariate": univariate(tables),
        "association": association(tables),
        "two_sample": two_sample(tables, rng=rng),
        "missingness": missingness(tables),
        "manifold": manifold(tables, rng=rng),
        "survival_references": survival_references(tables),
    }
    reasons = {name: part.reason for name, part in parts.items() if part.reason is not None}
    known = {name: None if name in reasons else part.to_json() for name, part in parts.items()}
    return {**table.to_json(), **known, **broken_rows(synthetic, schema), "reasons": reasons}
