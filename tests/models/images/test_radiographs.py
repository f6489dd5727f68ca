"""The default method on real radiographs: what was asked of it at epsilon 10, on images that nobody learnt from."""

from pathlib import Path

import numpy as np
import pytest

from metrics.images.train_test import train_test
from models.images.registry import build
from records.accounting import epsilon_to_rho
from use_cases.images import load_image_codebook, load_images

CODEBOOK = Path(__file__).parents[3] / "use_cases" / "images" / "chest_xray28.yaml"
DELTA = 1e-5


@pytest.mark.slow
def test_most_of_what_real_images_teach_is_kept_at_epsilon_ten(shared_data: Path) -> None:
    cohort = load_image_codebook(CODEBOOK)
    table = load_images(cohort, shared_data / "images" / (cohort.source.file or ""), key=b"sixteen bytes ok").table
    held_out = (table.rows["split"] == "test").to_numpy()
    train, test = (table.select(np.flatnonzero(part)) for part in (~held_out, held_out))
    model = build("auto", delta=DELTA, secure=False)
    model.fit(train, cohort.image, budget=epsilon_to_rho(10.0, DELTA), rng=np.random.default_rng(0))
    blind = build("prior", delta=DELTA, secure=False)
    blind.fit(train, cohort.image, budget=epsilon_to_rho(10.0, DELTA), rng=np.random.default_rng(0))
    sources = {
        "real": train, "synthetic": model.sample(3000, rng=np.random.default_rng(1)),
        "simulator": blind.sample(3000, rng=np.random.default_rng(1)),
    }  # fmt: skip
    sides = train_test(sources, test, cohort.image, seeds=[0], models=["logistic"]).sides["logistic"]
    real, ours, simulator = (sides[name].auc.value for name in sources)
    assert ours - 0.5 >= 0.8 * (real - 0.5)
    assert ours >= simulator + 0.05
