"""The whole evaluation of one synthetic table: fidelity, utility, privacy.

Belongs here: running the three suites on checked tables. Does not belong here: reading files, limits and verdicts (``gate``),
or pages (``reporting``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.privacy_suite import Refit, privacy_suite
from metrics.fidelity.suite import fidelity_suite
from metrics.overlap import refuse_overlap
from metrics.utility.suite import utility_suite
from records.schema import Schema

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Repeated:
    """The synthesizer, for what one release cannot tell: ``shadows`` fits to attack it, ``refits`` to test its p-values."""

    refit: Refit
    shadows: int = 0
    refits: int = 0


def evaluate(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    seed: int,
    candidate_sha256: str,
    repeated: Repeated | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Measure everything.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; ``holdout`` is a random part of the patients that the synthesizer did not see.
    schema : Schema
        With at least one outcome; the first is predicted.
    seed : int
        Of every draw.
    candidate_sha256 : str
        Hash of the candidate's file, which every report carries.
    repeated : Repeated or None
        Fits of the synthesizer; their patients' privacy is not accounted for, since only success rates are kept.
    tell : callable
        Told each step before it begins: ``fidelity``, ``utility``, ``privacy``.

    Returns
    -------
    dict
        ``fidelity``, ``utility`` and ``privacy``, each the JSON of its suite.

    Raises
    ------
    TableError
        Holdout and training table, or synthetic table and holdout, share patients.
    """
    refuse_overlap(train, holdout, synthetic, schema)
    shadows, refits = (repeated.shadows, repeated.refits) if repeated else (0, 0)
    refit = repeated.refit if repeated else None
    own = np.random.default_rng(seed).spawn(2)
    tell("fidelity")
    fidelity = fidelity_suite(train, holdout, synthetic, schema, rng=own[0], candidate_sha256=candidate_sha256)
    tell("utility")
    utility = utility_suite(
        train, holdout, synthetic, schema, schema.outcomes[0], seed=seed, candidate_sha256=candidate_sha256,
        refit=refit if refits else None, repetitions=refits,
    )  # fmt: skip
    tell("privacy")
    privacy = privacy_suite(
        train, holdout, synthetic, schema, rng=own[1], candidate_sha256=candidate_sha256, refit=refit, shadows=shadows
    )  # fmt: skip
    return {"fidelity": fidelity, "utility": utility, "privacy": privacy}
