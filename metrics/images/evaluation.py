"""The whole evaluation of synthetic images as strict JSON: fidelity, utility, privacy.

Belongs here: running the parts on checked tables. Does not belong here: reading files, limits and verdicts (``gate``),
pictures (``plots``) or pages (``report``). No pixel, row or pseudonym is in the result.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from metrics.images.copies import image_copies
from metrics.images.features import Extractor, random_convolutions
from metrics.images.fidelity import image_fidelity
from metrics.images.membership import image_membership
from metrics.images.memorisation import memorisation
from metrics.images.segmentation import segmentation
from metrics.images.train_test import REAL, SEEDS, TrainTestReport, train_test
from metrics.plain import plain
from records.errors import ParameterError, Problem, TableError
from records.files import sha256
from records.images import ImageSchema, ImageTable
from records.images.storage import image_bytes

FORMAT = "phaseiv-image-evaluation/1"
SYNTHETIC = "synthetic"
PHANTOM_NOTICE = "All images are phantoms, simulated from published figures: nothing here was learnt from a patient."
Tell = Callable[[str], None]


def evaluate_images(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, *, seed: int,
    baselines: Mapping[str, ImageTable] | None = None, extractor: Extractor | None = None,
    candidate_sha256: str | None = None, training_seeds: Sequence[int] = SEEDS, tell: Tell = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Measure everything.

    Parameters
    ----------
    train, holdout, synthetic : ImageTable
        As the schema says; ``holdout`` is a random part of the patients that the synthesizer did not see.
    seed : int
        Of every draw.
    baselines : mapping of str to ImageTable
        Images made without patients, such as ``simulator``; measured beside the synthetic ones.
    extractor : Extractor or None
        Of the distances in feature space; random convolutions by default.
    candidate_sha256 : str or None
        Hash of the candidate's file; by default of the bytes that ``records.images`` writes.
    training_seeds : sequence of int
        Of the classifiers; segmentation uses the first.
    tell : callable
        Told each step before it begins: ``fidelity``, ``utility``, ``segmentation``, ``copies``, ``membership``.

    Returns
    -------
    dict
        Strict JSON: ``format``, ``candidate_sha256``, ``cohort``, ``counts``, ``fidelity``, ``utility``, ``privacy``.

    Raises
    ------
    TableError
        Training and holdout images share patients.
    ParameterError
        Tables differ in size or unit, a name of a baseline is taken, or there is no training seed.
    """
    others = dict(baselines or {})
    _refuse(train, holdout, {SYNTHETIC: synthetic, **others}, others, training_seeds)
    extract = extractor or random_convolutions()
    rng = np.random.default_rng(seed).spawn(4)
    tell("fidelity")
    fidelity = image_fidelity(train, holdout, synthetic, schema, extract, rng=rng[0], baselines=others)
    sources = {REAL: train, SYNTHETIC: synthetic, **others}
    tell("utility")
    prediction = train_test(sources, holdout, schema, seeds=training_seeds)
    tell("segmentation")
    masks = segmentation(sources, holdout, schema, seeds=training_seeds[:1])
    privacy = _privacy(train, holdout, synthetic, schema, extract, rng[1:], tell)
    tables = {"train": train, "holdout": holdout, SYNTHETIC: synthetic}
    return plain(
        {
            "format": FORMAT,
            "candidate_sha256": candidate_sha256 or sha256(image_bytes(synthetic)),
            "cohort": _cohort(schema, synthetic),
            "counts": {name: {"patients": len(t.patients), "images": len(t)} for name, t in tables.items()},
            "fidelity": fidelity.to_json(),
            "utility": {**headline(prediction), "prediction": prediction.to_json(), "segmentation": masks},
            "privacy": privacy,
        }
    )  # fmt: skip


def _privacy(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, extract: Extractor,
    rng: Sequence[np.random.Generator], tell: Tell,
) -> dict[str, Any]:  # fmt: skip
    tell("copies")
    copies = image_copies(train, holdout, synthetic, schema, rng=rng[0])
    tell("membership")
    attack = image_membership(train, holdout, synthetic, schema, extract, rng=rng[1])
    near = memorisation(train, holdout, synthetic, schema, extract, rng=rng[2])
    return {"copies": copies.to_json(), "membership": attack.to_json(), "memorisation": near}


def headline(report: TrainTestReport) -> dict[str, Any]:
    """AUC of the headline classifier trained on synthetic (``tstr``) and on real images (``trtr``), and the loss."""
    sides = report.sides[report.headline]
    made, real = sides[SYNTHETIC], sides[REAL]
    figures = {"tstr_auc": made.auc, "trtr_auc": real.auc, "tstr_loss": made.loss}
    return {
        "reason": made.reason or real.reason,
        "outcome_label": report.label,
        **{name: interval.value for name, interval in figures.items()},
        **{f"{name}_{end}": getattr(interval, end) for name, interval in figures.items() for end in ("lower", "upper")},
    }


def _cohort(schema: ImageSchema, synthetic: ImageTable) -> dict[str, Any]:
    return {
        "name": schema.name, "title": schema.title, "modality": schema.modality, "body_part": schema.body_part,
        "unit": schema.unit, "size": list(schema.size), "privacy_unit": schema.privacy_unit,
        "phantom": schema.phantom, "notice": PHANTOM_NOTICE if schema.phantom else None,
        "local_only": synthetic.local_only,
    }  # fmt: skip


def _refuse(
    train: ImageTable, holdout: ImageTable, made: Mapping[str, ImageTable], baselines: Mapping[str, ImageTable],
    seeds: Sequence[int],
) -> None:  # fmt: skip
    if shared := len(set(train.patients) & set(holdout.patients)):
        problem = Problem(
            "patient", "be in train or holdout", f"{shared} in both", "split the patients, not the images"
        )
        raise TableError("the split", [problem])
    if taken := {REAL, SYNTHETIC, "holdout", "independent", "train"} & set(baselines):
        raise ParameterError(f"baselines must have names of their own, got {sorted(taken)}; rename them")
    if not seeds:
        raise ParameterError("training seeds must be at least one, got none; give some")
    for name, table in {"the holdout": holdout, **made}.items():
        if (table.size, table.unit) != (train.size, train.unit):
            raise ParameterError(
                f"{name} must have size {train.size} and unit {train.unit.value} as the training images, got "
                f"{table.size} and {table.unit.value}; load both through one codebook"
            )
