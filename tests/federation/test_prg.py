"""A seed's stream: the same at both ends, inside the field, uniform."""

import numpy as np
from scipy.stats import chisquare

from federation import field
from federation.prg import Prg, new_seed


def test_two_with_one_seed_draw_the_same_however_they_ask() -> None:
    seed = new_seed()
    one, other = Prg(seed), Prg(seed)
    together = one.draw((5, 4))
    assert (np.concatenate([other.draw(3), other.draw(17)]) == together.ravel()).all()
    assert (one.draw(5) == other.draw(5)).all()


def test_other_seeds_draw_others() -> None:
    assert not np.intersect1d(Prg().draw(1000), Prg().draw(1000)).size


def test_uniform_in_high_and_low_bits() -> None:
    drawn = Prg(b"u" * 32).draw(100_000)
    assert drawn.max() < field.P
    for cells in (drawn >> np.uint64(55), drawn & np.uint64(63)):
        assert chisquare(np.bincount(cells.astype(int), minlength=64)).pvalue > 1e-4


def test_nothing_drawn() -> None:
    assert Prg().draw((0, 3)).shape == (0, 3)
