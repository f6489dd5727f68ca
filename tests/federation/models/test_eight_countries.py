"""Eight countries of the International Stroke Trial as eight parties, where the trial's table is at hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from federation.models.logistic import logistic
from federation.protocols.counts import contingency
from federation.protocols.quantiles import quantiles
from federation.site import TableSite
from tests.federation.parties import a_job, computed
from use_cases.registry import discover

COHORT = discover()["stroke"].cohort("international_stroke_trial")
COUNTRIES = 8


@pytest.fixture(scope="module")
def pooled(shared_data: Path) -> pl.DataFrame:
    frame = COHORT.load(shared_data / "ist.parquet")
    largest = frame["country"].value_counts(sort=True).head(COUNTRIES)["country"]
    return frame.filter(pl.col("country").is_in(largest.to_list()))


@pytest.fixture(scope="module")
def sites(pooled: pl.DataFrame) -> list[TableSite]:
    parts = pooled.partition_by("country")
    return [TableSite({"ward": (COHORT.table, part)}) for part in parts]


def test_a_table_of_all_countries(sites: list[TableSite], pooled: pl.DataFrame):
    job = a_job("contingency", ["sex", "consciousness", "dead_14d"], parties=COUNTRIES, minimum_count=10)
    counts = np.array(computed(contingency, sites, job)["counts"], dtype=object)
    expected = pooled.group_by("sex", "consciousness", "dead_14d").len()["len"]
    assert sorted(n for n in counts.ravel() if n) == sorted(n for n in expected if n >= 10)


def test_medians_of_all_countries(sites: list[TableSite], pooled: pl.DataFrame):
    found = computed(quantiles, sites, a_job("quantiles", ["age", "systolic"], parties=COUNTRIES))["columns"]
    for column in found:
        values = pooled[column["column"]].drop_nulls().to_numpy()
        assert column["values"] == np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf").tolist()


@pytest.mark.slow
def test_a_model_of_all_countries(sites: list[TableSite], pooled: pl.DataFrame):
    positive = list(COHORT.table["dependent_6m"].levels)[-1]
    parameters = {"outcome": "dependent_6m", "positive": [positive]}
    job = a_job("logistic", ["age", "sex", "dependent_6m"], parties=COUNTRIES, parameters=parameters)
    found = [row["coefficient"] for row in computed(logistic, sites, job)["coefficients"]]
    known = pooled.select("age", "sex", "dependent_6m").drop_nulls()
    second = (known["sex"].cast(pl.String) == list(COHORT.table["sex"].levels)[1]).to_numpy()
    matrix = np.column_stack([np.ones(known.height), known["age"].to_numpy(), second]).astype(float)
    label = (known["dependent_6m"].cast(pl.String) == positive).to_numpy().astype(float)
    np.testing.assert_allclose(found, sm.Logit(label, matrix).fit(disp=0, tol=1e-12).params, rtol=0, atol=1e-6)
