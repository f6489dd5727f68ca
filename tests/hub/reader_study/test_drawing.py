"""Questions are drawn so that only the image can tell the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.reader_study.drawing import draw_pairs, draw_singles, order_of
from records.errors import ParameterError
from tests.hub.reader_study.conftest import images

REAL, SYNTHETIC = images("real", slices=3), images("synthetic", patients=24)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_pairs_share_a_label_and_no_patient_comes_twice(seed: int, count: int) -> None:
    drawn = draw_pairs(REAL, SYNTHETIC, "finding", count, np.random.default_rng(seed))
    assert len(drawn) == count
    tables = {"real": REAL, "synthetic": SYNTHETIC}
    patients = []
    for one in drawn:
        assert sorted(kind for kind, _ in one.images) == ["real", "synthetic"]
        assert {tables[kind].rows["finding"][row] for kind, row in one.images} == {one.label}
        assert one.images[0 if one.truth == "left" else 1][0] == "real"
        patients += [tables[kind].rows["pseudonym"][row] for kind, row in one.images]
    assert len(set(patients)) == 2 * count
    assert abs(2 * sum(one.truth == "left" for one in drawn) - count) <= 1


@given(seed=st.integers(0, 2**32), half=st.integers(1, 20))
def test_of_singles_each_label_has_as_many_of_both_kinds(seed: int, half: int) -> None:
    drawn = draw_singles(REAL, SYNTHETIC, "finding", 2 * half, np.random.default_rng(seed))
    for label in ("normal", "pneumonia"):
        kinds = [one.truth for one in drawn if one.label == label]
        assert kinds.count("real") == kinds.count("synthetic")
    assert len({one.images for one in drawn}) == 2 * half
    assert all(one.images[0][0] == one.truth for one in drawn)


@pytest.mark.parametrize(("draw", "count"), [(draw_pairs, 25), (draw_singles, 50), (draw_singles, 3), (draw_pairs, 0)])
def test_too_many_odd_or_no_questions_are_refused(draw, count: int) -> None:
    with pytest.raises(ParameterError, match="must"):
        draw(REAL, SYNTHETIC, "finding", count, np.random.default_rng(1))


def test_each_reader_has_an_order_of_his_own_that_stays() -> None:
    one, other = order_of("s", "A", 30), order_of("s", "B", 30)
    assert sorted(one) == sorted(other) == list(range(30))
    assert one != other
    assert one == order_of("s", "A", 30)
