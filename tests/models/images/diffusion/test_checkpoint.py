"""An interrupted training goes on as if nothing had happened, and with nothing else."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.images.diffusion import DiffusionSynthesizer, private
from models.images.diffusion.checkpoint import Checkpoint
from records.errors import ParameterError, StorageError
from tests.models.images.diffusion.small_cohorts import QUICK, lesions

pytestmark = pytest.mark.slow

RHO = 5.0


class Interrupted(Exception):
    """The machine goes down."""


def fit(path: Path | None, budget: float | None = RHO, seed: int = 3, **changes: object) -> DiffusionSynthesizer:
    table, schema = lesions(80, slices=1)
    settings = replace(QUICK, **changes)  # type: ignore[arg-type]
    model = DiffusionSynthesizer(settings=settings, device="cpu", checkpoint=path, keep_every=1, drawing_steps=2)
    return model.fit(table, schema, budget=budget, rng=np.random.default_rng(seed))


def interrupted(path: Path, budget: float | None, calls: int) -> None:
    """A fit during which the machine goes down after so many kept steps."""
    kept = Checkpoint.keep

    def keep(self: Checkpoint, run: object) -> None:
        kept(self, run)  # type: ignore[arg-type]
        if self.calls == calls:
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "keep", keep)
        with pytest.raises(Interrupted):
            fit(path, budget)


@pytest.mark.parametrize(("budget", "calls"), [(RHO, 4), (RHO, 9), (None, 30)])
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path: Path, budget: float | None, calls: int) -> None:
    whole, path = fit(None, budget), tmp_path / "run.pt"
    interrupted(path, budget, calls)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    resumed = fit(path, budget, seed=99)  # another seed: all chances are in the file
    assert resumed.privacy_ == whole.privacy_
    assert (resumed.total_, resumed.losses_) == (whole.total_, whole.losses_)
    assert np.array_equal(resumed.central_, whole.central_)
    pairs = zip(whole.network_.parameters(), resumed.network_.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    drawn = [model.sample(5, rng=np.random.default_rng(0)) for model in (whole, resumed)]
    assert np.array_equal(drawn[0].pixels, drawn[1].pixels)
    assert drawn[0].rows.equals(drawn[1].rows)
    assert list(tmp_path.iterdir()) == []


def test_what_was_looked_at_is_not_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(tmp_path / "run.pt", RHO, 8)
    monkeypatch.setattr("models.images.diffusion.synthesizer.noisy_count", None)
    steps = []
    counted = private.sampled
    monkeypatch.setattr(private, "sampled", lambda *given: steps.append(1) or counted(*given))
    fit(tmp_path / "run.pt")
    assert len(steps) == QUICK.steps - (8 - QUICK.warm_up_steps)


def test_another_training_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    interrupted(path, RHO, 2)
    before = path.read_bytes()
    table, schema = lesions(79, slices=1)
    model = DiffusionSynthesizer(settings=QUICK, device="cpu", checkpoint=path)
    with pytest.raises(ParameterError, match="must be of the same images, settings, budget"):
        model.fit(table, schema, budget=RHO, rng=np.random.default_rng(3))
    with pytest.raises(ParameterError, match="must be of the same images"):
        fit(path, budget=RHO / 2)
    with pytest.raises(ParameterError, match="must be of the same images"):
        fit(path, steps=7)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    for damage in (b"", b"nothing", b"PK\x03\x04 torn"):
        (tmp_path / "run.pt").write_bytes(damage)
        with pytest.raises(StorageError, match=r"run\.pt must be a whole checkpoint"):
            fit(tmp_path / "run.pt")
