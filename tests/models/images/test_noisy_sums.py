"""Sums over patients: what one patient can change, exact where asked, noise of the stated size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.images.noisy_sums import UNITS, NoisySums


@given(seed=st.integers(0, 10_000), cells=st.integers(1, 4), scale=st.floats(0.1, 50))
def test_one_patient_moves_all_cells_together_by_at_most_the_norm(seed: int, cells: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    patients = np.sort(rng.integers(0, 6, 25))
    vectors, cell = rng.normal(0, scale, (25, 7)), rng.integers(-1, cells, 25)

    def total(kept: np.ndarray) -> np.ndarray:
        sums = NoisySums(patients[kept], exact=True)
        return sums(lambda p: vectors[kept][p], 7, norm=2.0, rho=1.0, purpose="", cells=cell[kept], cell_count=cells)

    everyone = total(np.ones(25, bool))
    for gone in np.unique(patients)[:3]:
        moved = (everyone - total(patients != gone)) * (UNITS / 2.0)
        assert np.abs(moved - np.rint(moved)).max() < 1e-6  # whole units, so that integer noise hides them
        assert np.linalg.norm(np.rint(moved)) <= UNITS


def test_without_noise_the_sum_is_that_of_patients_means() -> None:
    patients = np.array([3, 0, 3, 0, 9])
    vectors = np.arange(10.0).reshape(5, 2)
    found = NoisySums(patients, exact=True)(lambda p: vectors[p], 2, norm=100.0, rho=1.0, purpose="")
    expected = vectors[[0, 2]].mean(0) + vectors[[1, 3]].mean(0) + vectors[4]
    assert found[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("seeded", [None, np.random.default_rng(0)])
def test_noise_has_the_scale_that_its_record_states(seeded: np.random.Generator | None) -> None:
    sums = NoisySums(np.arange(3), seeded=seeded)
    found = sums(lambda p: np.zeros((len(p), 4000)), 4000, norm=3.0, rho=0.5, purpose="nothing")[0]
    record = sums.spent[0]
    assert (record.rho, record.queries, record.sigma) == (0.5, 4000, 1.0)
    assert stats.kstest(found / 3.0, "norm").pvalue > 1e-4
    assert found.std() == pytest.approx(3.0, rel=0.06)


def test_many_slices_are_taken_in_portions_of_whole_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    patients, vectors = rng.integers(0, 40, 300), rng.normal(size=(300, 5))

    def total() -> np.ndarray:
        return NoisySums(patients, exact=True)(lambda p: vectors[p], 5, norm=9.0, rho=1.0, purpose="")

    whole = total()
    monkeypatch.setattr("models.images.noisy_sums.MOST_NUMBERS", 60)
    assert np.array_equal(whole, total())
