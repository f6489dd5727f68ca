"""The log-rank test of real cohorts split by hospital, against lifelines and statsmodels on the pooled table."""

import polars as pl
import pytest
from lifelines.statistics import multivariate_logrank_test
from statsmodels.duration.survfunc import survdiff

from federation.protocols.log_rank import log_rank
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, _ = hospitals("lung", "ncctg_lung")


def _job(by: str, minimum: int = 5, **parameters):
    return a_job(
        "log_rank", ["time", "event", by], minimum_count=minimum, parameters={"by": by, "interval": 7, **parameters}
    )


def _weekly(by: str, levels: list[str]) -> tuple:
    rows = POOLED.filter(pl.col(by).is_in(levels)).with_columns(week=(pl.col("time") / 7).ceil())
    return rows["week"].to_numpy(), rows[by].cast(pl.String).to_numpy(), (rows["event"] == "1").to_numpy().astype(int)


def test_two_groups():
    result = computed(log_rank, NCCTG, _job("sex"))
    times, groups, events = _weekly("sex", ["female", "male"])
    reference = multivariate_logrank_test(times, groups, events)
    assert result["statistic"] == pytest.approx(reference.test_statistic, rel=1e-3)
    assert result["p_value"] == pytest.approx(reference.p_value, rel=1e-2)
    assert result["statistic"] == pytest.approx(survdiff(times, events, groups)[0], rel=1e-3)
    assert sum(g["expected"] for g in result["groups"]) == pytest.approx(events.sum(), rel=1e-4)


def test_more_groups_without_the_small_ones():
    result = computed(log_rank, NCCTG, _job("ecog"))
    assert [g["group"] for g in result["groups"]] == ["0", "1", "2"]
    assert len(result["suppressed"]) == 2
    reference = multivariate_logrank_test(*_weekly("ecog", ["0", "1", "2"]))
    assert result["degrees"] == 2
    assert result["statistic"] == pytest.approx(reference.test_statistic, rel=1e-3)


def test_one_group_is_no_test():
    result = computed(log_rank, NCCTG, _job("sex", minimum=120))
    assert (result["statistic"], result["p_value"]) == (None, None)
    assert result["suppressed"][0]["why"] == "fewer than 120 patients"


def test_groups_must_be_named():
    with pytest.raises(ParameterError, match="must name groups"):
        computed(log_rank, NCCTG, a_job("log_rank", ["time", "event"]))
