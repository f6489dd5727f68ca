"""Private questions to an image cohort and the models that answer them: each is debited once, before noise is drawn.

Belongs here: debit, fit, keep, take up again. Does not belong here: sampling and tracking (``synthesis``, ``requests``).

A fitted model holds noisy sums and, where there is a simulator, simulated images, and nothing else of the patients, so that drawing
from it costs no privacy: releases and orders of any number of images share one. It is kept as a pickle in the home folder, which
also holds the ledger and the keys: who may write there may do anything. Another version of the software does not read it and asks
anew.
"""

import json
import pickle
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assets.images.place import ImagePlace
from records.errors import StorageError
from records.files import one_at_a_time, sha256, write_atomically
from records.images.storage import ImageFile

if TYPE_CHECKING:
    from records.protocols import ImageSynthesizer


def learnt(
    place: ImagePlace, synthesizer: str, epsilon: float | None, real: ImageFile, *, run_id: str, seed: int = 0
) -> "ImageSynthesizer":
    """The fitted synthesizer of a question; ``epsilon`` null asks for no privacy and is never kept.

    Raises
    ------
    ParameterError, TableError
        The synthesizer does not suit the cohort; nothing was debited.
    BudgetError
        The cohort's budget does not hold the question; nothing was measured.
    StorageError
        The model that was kept cannot be read.
    """
    from deidentification.images import images_to_hand_out, split_images
    from models.images.registry import build, chosen
    from models.images.synthesizer import StatisticSynthesizer

    schema, family = place.schema, chosen(synthesizer, place.schema)
    model = build(family, delta=place.use_case.delta)
    if epsilon is None:
        train, _ = split_images(images_to_hand_out(real.table), place.cohort.image)
        return model.fit(train, schema, budget=None, rng=np.random.default_rng(seed))
    kept = _place_of(place, family, epsilon, real.sha256)
    with one_at_a_time(place.workspace.home / "locks" / kept.stem):
        if kept.exists():
            return _taken_up(kept)
        train, _ = split_images(real.table, place.cohort.image)
        if isinstance(model, StatisticSynthesizer):
            model.must_fit(train, schema)  # what can be refused is refused before it is paid for
        rho = _debit(place, family, epsilon, run_id)
        model = model.fit(train, schema, budget=rho, rng=np.random.default_rng())
        if isinstance(model, StatisticSynthesizer):
            write_atomically(kept, pickle.dumps(model))
    return model


def _taken_up(kept: Path) -> "ImageSynthesizer":
    try:
        return pickle.loads(kept.read_bytes())
    except Exception as error:
        # A pickle of other software breaks in ways that nobody lists.
        raise StorageError(
            f"measurements/{kept.name} must be a model that this version can read, got a {type(error).__name__}; take the "
            "version that wrote it, or remove the file and pay for the question again"
        ) from error


def _place_of(place: ImagePlace, family: str, epsilon: float, version: str) -> Path:
    software = [version_of(name) for name in ("phaseiv", "numpy", "torch")]
    asked = [version, place.schema.model_dump_json(), place.use_case.delta, family, epsilon, software]
    return place.workspace.home / "measurements" / f"{sha256(json.dumps(asked).encode())}.images"


def _debit(place: ImagePlace, family: str, epsilon: float, run_id: str) -> float:
    """Pay for the question; returns its zCDP."""
    from hub.budget import BudgetLedger
    from records.accounting import epsilon_to_rho

    use_case = place.use_case
    rho = epsilon_to_rho(epsilon, use_case.delta)
    BudgetLedger(place.workspace.ledger_url).debit(
        place.schema.name, rho=rho, total_rho=use_case.budget_rho, epsilon=epsilon, delta=use_case.delta,
        question=f"images: {family}", account="release", run_id=run_id,
    )  # fmt: skip
    return rho
