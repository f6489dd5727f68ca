"""Every attack on one release, and on its synthesizer if that can be run again.

Belongs here: running the attacks and joining their JSON. Does not belong here: any attack (the other modules), the
guarantee of differential privacy (``models``) or the decision (``gate``).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from metrics.attacks.inference_risk import inference_risk
from metrics.attacks.linkability import linkability
from metrics.attacks.membership import privacy
from metrics.attacks.reconstruction import reconstruction
from metrics.attacks.shadow import shadow
from metrics.attacks.singling_out import singling_out
from metrics.attacks.suite import membership_suite
from metrics.candidate import candidate_hash
from records.schema import Schema

Refit = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


def privacy_suite(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    rng: np.random.Generator,
    candidate_sha256: str | None = None,
    refit: Refit | None = None,
    shadows: int = 0,
) -> dict[str, Any]:
    """Attack a synthetic table in every way.

    Parameters
    ----------
    train, holdout, synthetic : polars.DataFrame
        Schema form; further columns are ignored. The split into train and holdout must be random.
    rng : numpy.random.Generator
    candidate_sha256 : str or None
        Hash of the candidate's file; by default the hash of ``synthetic`` itself.
    refit : callable or None
        The synthesizer: a training table to a synthetic table. Its fits touch real patients again; nothing of them is
        kept but the attack's success.
    shadows : int
        Fits of the synthesizer for the shadow-model attack; 0 leaves it out.

    Returns
    -------
    dict
        JSON of ``membership.PrivacyReport`` and of one report for each of ``membership``, ``singling_out``, ``linkability``,
        ``inference``, ``reconstruction`` and ``shadow``. A part that does not apply is ``None``, and
        ``reasons`` says why under its name.
    """
    real, streams = (train, holdout, synthetic, schema), iter(rng.spawn(8))
    parts: dict[str, Any] = {
        "membership": membership_suite(*real, rng=next(streams), candidate_sha256=candidate_sha256),
        "singling_out": singling_out(*real, rng=next(streams)),
        "linkability": linkability(*real, rng=next(streams)),
        "inference": inference_risk(*real, rng=next(streams)),
        "reconstruction": reconstruction(*real, rng=next(streams)),
    }
    plainly = {name: part.to_json() for name, part in parts.items()}
    if refit is not None and shadows:
        plainly["shadow"] = shadow(train, schema, refit, shadows=shadows, rng=next(streams)).to_json()
    first = privacy(*real, rng=rng, candidate_sha256=candidate_hash(synthetic, candidate_sha256)).to_json()
    reasons = {name: why for name, part in plainly.items() if (why := _reason(part)) is not None}
    if "shadow" not in plainly:
        plainly["shadow"], reasons["shadow"] = None, "no shadow fits of the synthesizer were asked for"
    return {**first, **plainly, "reasons": reasons}


def _reason(part: dict[str, Any]) -> str | None:
    """Why a part has no figures; of singling out, where both kinds have none."""
    if "worst" in part and "univariate" in part:
        return part["univariate"]["reason"] if part["worst"] is None else None
    return part.get("reason")
