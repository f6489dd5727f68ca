"""A question to images is paid once, whoever asks it by whatever name, and nothing is paid for what cannot be answered."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assets.images.learning import learnt
from assets.images.place import ImagePlace
from assets.workspace import Workspace
from deidentification.images import deidentify_images
from hub.budget import BudgetLedger
from models.phantoms import PHANTOMS
from records.errors import ParameterError, StorageError
from records.images import Modality, validate_images
from records.images.storage import ImageFile
from use_cases.registry import discover

EPSILON = 3.0


@pytest.fixture(scope="module")
def real() -> ImageFile:
    """De-identified phantoms of 32 x 32 points."""
    cohort = discover()["lung"].images[0].image.model_copy(update={"size": (32, 32), "spacing": (11.0, 11.0)})
    made = PHANTOMS[cohort.name](60, slices=1, size=(32, 32), rng=np.random.default_rng(0))
    table = validate_images(made, cohort, source="phantoms")
    return ImageFile(deidentify_images(table, cohort, k=2).table, "0" * 64)


@pytest.fixture
def place(tmp_path: Path) -> ImagePlace:
    use_case = discover()["lung"]
    cohort = use_case.images[0]
    image = cohort.image.model_copy(update={"size": (32, 32), "spacing": (11.0, 11.0)})
    return ImagePlace(use_case, cohort.model_copy(update={"image": image}), None, Workspace(tmp_path))


def paid(place: ImagePlace) -> int:
    return len(list(BudgetLedger(place.workspace.ledger_url).entries(place.schema.name)))


def test_two_who_ask_at_once_pay_once(place: ImagePlace, real: ImageFile) -> None:
    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(learnt, place, "gaussian", EPSILON, real, run_id=str(i)) for i in range(2)]
        spends = [one.result().privacy_ for one in asked]
    assert spends[0] == spends[1]
    assert paid(place) == 1
    learnt(place, "gaussian", EPSILON, real, run_id="again")
    assert paid(place) == 1


def test_auto_and_what_it_stands_for_are_one_question(
    place: ImagePlace, real: ImageFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.images.registry.WITH_SIMULATOR", "gaussian")
    learnt(place, "auto", EPSILON, real, run_id="1")
    learnt(place, "gaussian", EPSILON, real, run_id="2")
    assert paid(place) == 1


def test_what_does_not_suit_the_cohort_is_not_paid_for(place: ImagePlace, real: ImageFile) -> None:
    image = place.cohort.image.model_copy(update={"modality": Modality.MR, "name": "chest_mr"})
    other = ImagePlace(place.use_case, place.cohort.model_copy(update={"image": image}), None, place.workspace)
    with pytest.raises(ParameterError, match="must have a simulator"):
        learnt(other, "tilted", EPSILON, real, run_id="1")
    assert paid(other) == 0


def test_a_kept_model_that_cannot_be_read_is_told(place: ImagePlace, real: ImageFile) -> None:
    learnt(place, "gaussian", EPSILON, real, run_id="1")
    (kept,) = (place.workspace.home / "measurements").iterdir()
    kept.write_bytes(b"not a pickle")
    with pytest.raises(StorageError, match="pay for the question again"):
        learnt(place, "gaussian", EPSILON, real, run_id="2")
    assert paid(place) == 1
