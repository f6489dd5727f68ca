"""The averaged AUC against DeLong and sklearn, and the laws of its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from metrics.attacks.averaged_auc import ScoredDraw, averaged_auc, score_interval
from metrics.attacks.low_false_positives import members_found, threshold
from metrics.discrimination import Z95, delong


def scored(members: int, controls: int, shift: float, seed: int) -> ScoredDraw:
    rng = np.random.default_rng(seed)
    return ScoredDraw(
        rng.normal(shift, 1, members), rng.normal(0, 1, controls), np.arange(members), np.arange(controls)
    )


@given(st.integers(5, 60), st.integers(5, 60), st.floats(-3, 3), st.integers(0, 999))
def test_one_draw_is_delong_with_a_score_interval(members: int, controls: int, shift: float, seed: int) -> None:
    draw = scored(members, controls, shift, seed)
    score = np.concatenate([draw.member_scores, draw.control_scores])
    label = np.arange(members + controls) < members
    found, symmetric = averaged_auc([draw]), delong(score, label)
    assert found.value == pytest.approx(roc_auc_score(label, score))
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    if symmetric.lower > 0 and symmetric.upper < 1 and symmetric.upper > symmetric.value:
        variance = ((symmetric.upper - symmetric.value) / Z95) ** 2
        patients = members + controls
        expected = score_interval(found.value, variance, most=patients, fewest=1, freedom=patients - 2, level=0.95)
        assert (found.lower, found.upper) == pytest.approx((expected.lower, expected.upper))


@given(st.integers(1, 6), st.floats(-2, 2))
def test_repeating_the_same_draw_brings_no_certainty(times: int, shift: float) -> None:
    draw = scored(30, 20, shift, 1)
    once, often = averaged_auc([draw]), averaged_auc([draw] * times)
    assert (once.lower, once.upper) == pytest.approx((often.lower, often.upper))


def test_draws_of_other_patients_do() -> None:
    draws = [scored(100, 100, 0.5, seed) for seed in range(4)]
    apart = [
        ScoredDraw(d.member_scores, d.control_scores, d.member_rows + 100 * i, d.control_rows + 100 * i)
        for i, d in enumerate(draws)
    ]
    same, other = averaged_auc(draws), averaged_auc(apart)
    assert (other.upper - other.lower) == pytest.approx((same.upper - same.lower) / 2, rel=0.05)


def test_perfect_attacks_are_not_certain() -> None:
    draw = ScoredDraw(np.arange(20.0) + 50, np.arange(20.0), np.arange(20), np.arange(20))
    found = averaged_auc([draw])
    assert found.value == found.upper == 1
    assert 0.8 < found.lower < 0.9


def test_a_higher_level_is_wider() -> None:
    draw = scored(50, 50, 0.5, 0)
    usual, strict = averaged_auc([draw]), averaged_auc([draw], level=0.99375)
    assert strict.lower < usual.lower < usual.upper < strict.upper


def test_ties_count_half() -> None:
    draw = ScoredDraw(np.ones(15), np.ones(15), np.arange(15), np.arange(15))
    assert averaged_auc([draw]).value == 0.5


def test_members_found_at_a_false_positive_rate() -> None:
    controls = np.arange(100.0)
    draw = ScoredDraw(np.array([98.5, 97.5, 0.0, 99.5]), controls, np.arange(4), np.arange(100))
    assert (controls > threshold(controls, 0.05)).sum() == 5
    found = members_found([draw, draw], 0.01)
    assert found["tpr"] == 0.5  # 98.5 and 99.5 exceed 98, which one control exceeds
    assert found["lower"] < 0.5 < found["upper"]
    assert members_found([draw], 0.001)["tpr"] is None
