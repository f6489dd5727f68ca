"""Figures agree with statsmodels and scikit-learn, and hold no code."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from hub.reader_study import Mode, Study
from hub.reader_study.answers import Answer
from hub.reader_study.results import results_of, share, table_of
from tests.hub.reader_study.conftest import codes

Make = Callable[..., tuple]


@given(of=st.integers(1, 300), data=st.data())
def test_intervals_and_tests_are_those_of_statsmodels_and_the_binomial(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, of))
    found = share(hits, of)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(hits, of, method="wilson"), abs=1e-9)
    tail = binom.cdf(min(hits, of - hits), of, 0.5)
    assert found.p_value == pytest.approx(min(1.0, 2 * tail), abs=1e-9)


def test_nothing_answered_is_nothing_found(make: Make) -> None:
    _, study = make()
    result = results_of(study, [])
    assert result.pooled.accuracy is None
    assert [one.answered for one in result.readers] == [0, 0]


def answers(study: Study, code: str, right: list[bool], confidence: list[int]) -> list[Answer]:
    other = dict(zip(study.choices, study.choices[::-1], strict=True))
    return [
        Answer(code, i, q.truth if hit else other[q.truth], sure, "2026-11-26T12:00:00+00:00")
        for i, (q, hit, sure) in enumerate(zip(study.questions, right, confidence, strict=False))
    ]


def test_singles_give_sensitivity_specificity_and_auc(make: Make) -> None:
    _, study = make(mode=Mode.SINGLES, questions=12)
    first, second = codes(study)
    right = [True, True, False, True, True, False, True, False, True, True, True, False]
    sure = [3, 2, 1, 3, 2, 2, 1, 1, 3, 3, 2, 1]
    given_ = [*answers(study, first, right, sure), *answers(study, second, right[:4], sure[:4])]
    result = results_of(study, given_)
    one = result.readers[0]
    truths = [q.truth for q in study.questions]
    assert one.accuracy is not None
    assert one.sensitivity is not None
    assert one.specificity is not None
    assert one.accuracy.hits == sum(right)
    synthetic = [hit for hit, truth in zip(right, truths, strict=True) if truth == "synthetic"]
    assert (one.sensitivity.hits, one.sensitivity.of) == (sum(synthetic), 6)
    assert one.sensitivity.hits + one.specificity.hits == one.accuracy.hits
    scores = [a.confidence * (1 if a.choice == "synthetic" else -1) for a in given_[:12]]
    assert one.auc == pytest.approx(roc_auc_score([t == "synthetic" for t in truths], scores))
    assert result.pooled.answered == 16


def test_pairs_give_accuracy_and_the_habit_of_a_side(make: Make) -> None:
    _, study = make()
    code = codes(study)[0]
    lefts = [Answer(code, i, "left", 1, "") for i in range(10)]
    one = results_of(study, lefts).readers[0]
    assert one.first is not None
    assert one.accuracy is not None
    assert (one.accuracy.share, one.first.share) == (0.5, 1.0)
    assert one.sensitivity is None
    assert one.auc is None


def test_no_code_no_picture_and_no_pseudonym_leaves(make: Make) -> None:
    _, study = make()
    code = codes(study)[0]
    given_ = answers(study, code, [True] * 10, [2] * 10)
    told = json.dumps([results_of(study, given_).to_json(), table_of(study, given_)])
    for secret in (code, study.organiser, ".png", "real-0", "synthetic-0"):
        assert secret not in told
    assert "reader 1" in told
