"""Means, variances, correlations and quantiles of real cohorts split by hospital, against numpy on the pooled table."""

import numpy as np
import pytest

from federation.protocols.moments import correlation, moments
from federation.protocols.quantiles import quantiles
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, _ = hospitals("lung", "ncctg_lung")
SUPPORT, SUPPORT_POOLED, _ = hospitals("lung", "support2_lung")


def test_means_and_variances_are_numpys():
    result = computed(moments, NCCTG, a_job("moments", ["age", "karnofsky", "calories"]))
    for found in result["columns"]:
        values = POOLED[found["column"]].drop_nulls().to_numpy()
        assert found["count"] == len(values)
        assert found["mean"] == pytest.approx(values.mean(), rel=1e-11)
        assert found["variance"] == pytest.approx(values.var(ddof=1), rel=1e-11)


def test_values_with_decimals_are_exact_too():
    result = computed(moments, SUPPORT, a_job("moments", ["age"]))
    values = SUPPORT_POOLED["age"].to_numpy()
    assert result["columns"][0]["mean"] == pytest.approx(values.mean(), rel=1e-11)
    assert result["columns"][0]["variance"] == pytest.approx(values.var(ddof=1), rel=1e-10)


def test_groups_are_given_where_they_are_large_enough():
    job = a_job("moments", ["age", "ecog"], minimum_count=20, parameters={"by": "ecog"})
    result = computed(moments, NCCTG, job)
    for found in result["columns"]:
        level = found["group"]
        rows = POOLED.filter(POOLED["ecog"].is_null() if level == "missing" else POOLED["ecog"].cast(str) == level)
        assert found["mean"] == (pytest.approx(rows["age"].mean(), rel=1e-11) if rows.height >= 20 else None)
    assert {"what": "age of 3", "why": "fewer than 20 patients"} in result["suppressed"]


def test_correlations_are_numpys():
    names = ["age", "karnofsky", "karnofsky_patient", "weight_loss"]
    result = computed(correlation, NCCTG, a_job("correlation", names))
    known = POOLED.select(names).drop_nulls()
    assert result["patients"] == known.height
    np.testing.assert_allclose(result["correlation"], np.corrcoef(known.to_numpy().T), rtol=0, atol=1e-12)


def test_too_few_patients_give_no_correlation():
    result = computed(correlation, NCCTG, a_job("correlation", ["age", "karnofsky"], minimum_count=1000))
    assert (result["patients"], result["correlation"]) == (None, None)
    assert result["suppressed"] == [{"what": "all correlations", "why": "fewer than 1000 patients"}]


def test_quantiles_are_numpys():
    shares = [0.1, 0.25, 0.5, 0.75, 0.9]
    result = computed(quantiles, NCCTG, a_job("quantiles", ["age", "time", "calories"], parameters={"shares": shares}))
    for found in result["columns"]:
        values = POOLED[found["column"]].drop_nulls().to_numpy()
        assert found["values"] == np.quantile(values, shares, method="inverted_cdf").tolist()


def test_extreme_quantiles_would_be_one_patients_value_and_are_left_out():
    job = a_job("quantiles", ["age"], minimum_count=10, parameters={"shares": [0.01, 0.5, 0.999]})
    result = computed(quantiles, NCCTG, job)
    assert result["columns"][0]["values"] == [None, 63.0, None]
    assert [note["what"] for note in result["suppressed"]] == [
        "age at 0.01, on one side of it",
        "age at 0.999, on one side of it",
    ]


@pytest.mark.parametrize(
    ("program", "columns", "parameters", "words"),
    [
        (moments, ["sex"], {}, "must hold numbers"),
        (moments, ["age"], {"by": "sex"}, "by must be a category among"),
        (correlation, ["age"], {}, "at least 2 columns"),
        (quantiles, ["age"], {"shares": [0.0]}, "shares must lie between"),
        (quantiles, ["age"], {"shares": "half"}, "shares must lie between"),
    ],
)
def test_bad_questions_are_refused(program, columns, parameters, words):
    with pytest.raises(ParameterError, match=words):
        computed(program, NCCTG, a_job("moments", columns, parameters=parameters))
