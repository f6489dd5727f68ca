"""Central images: sensitivity, what they show, and classes that noise hides."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.images.diffusion.central import COUNT_NORM, IMAGE_NORM, central_images, contributions
from models.images.diffusion.encoding import Records, encoded
from models.images.diffusion.plan import planned
from models.images.diffusion.settings import Settings
from tests.models.images.diffusion.small_cohorts import lesions

BOUND = float(np.hypot(IMAGE_NORM, COUNT_NORM))


def records_of(slices: list[int], classes: list[int], fill: float) -> Records:
    counts = torch.tensor(slices)
    images = torch.full((sum(slices), 2, 8, 8), fill)
    return Records(images, torch.eye(3)[torch.tensor(classes)], (3,), counts.cumsum(0) - counts, counts)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.floats(-1, 1), st.integers(0, 99))
def test_no_patient_adds_more_than_the_bound(slices: list[int], fill: float, seed: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 3, sum(slices)).tolist()
    norms = contributions(records_of(slices, classes, fill)).flatten(1).norm(dim=1)
    assert float(norms.max()) <= BOUND * 8 * (1 + 1e-5)


def test_a_patient_with_many_slices_weighs_as_much_as_another() -> None:
    parts = contributions(records_of([1, 5], [0] * 6, 0.5))
    assert torch.allclose(parts[0], parts[1], atol=1e-5)


@pytest.fixture(scope="module")
def two_classes() -> Records:
    """Bright images of class 0, dark ones of class 1, none of class 2."""
    classes = torch.tensor([0, 1] * 2000)
    images = torch.where(classes == 0, 0.4, -0.3)[:, None, None, None].expand(-1, 1, 8, 8).contiguous()
    ones = torch.ones(4000, dtype=torch.int64)
    return Records(images, torch.eye(3)[classes], (3,), torch.arange(4000), ones)


def test_they_are_means_of_their_class(two_classes: Records) -> None:
    plan = planned(5.0, 1e-5, Settings(central_images=5))
    images, known = central_images(two_classes, plan, patients=4000, draws=torch.Generator().manual_seed(0))
    assert known.argmax(dim=1).tolist() == [0] * 5 + [1] * 5
    assert known.sum(dim=1).tolist() == [1] * 10
    assert float(images[:5].mean()) == pytest.approx(0.4, abs=0.03)
    assert float(images[5:].mean()) == pytest.approx(-0.3, abs=0.03)


def test_noise_is_as_planned(two_classes: Records) -> None:
    """Spread over repeated images, at the frequencies that are kept, is that of the plan and of sampling."""
    plan = planned(20.0, 1e-5, Settings(central_images=60))
    nobody = replace(two_classes, images=torch.zeros_like(two_classes.images))
    images, _ = central_images(nobody, plan, patients=4000, draws=torch.Generator().manual_seed(0))
    weight = 0.5 * 4000 * 0.5
    assert float(images.std()) == pytest.approx(plan.central_sigma * 8 * BOUND / weight, rel=0.1)


def test_a_budget_that_shows_nothing_gives_none(two_classes: Records) -> None:
    few = records_of([1] * 6, [0, 1] * 3, 0.2)
    plan = planned(0.05, 1e-5, Settings())
    images, known = central_images(few, plan, patients=60, draws=torch.Generator().manual_seed(0))
    assert len(images) == len(known) == 0


def test_masks_take_part() -> None:
    records = encoded(*lesions(20))
    assert records.images.shape == (40, 2, 16, 16)
    assert float(contributions(records).flatten(1).norm(dim=1).max()) <= BOUND * 16 * (1 + 1e-5)
