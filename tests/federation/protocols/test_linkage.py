"""Tables of two holders of the same patients, against the joined table."""

import numpy as np
import polars as pl
import pytest

from federation.protocols.linkage import linked_contingency
from federation.site import TableSite
from records.errors import ParameterError
from tests.federation.parties import a_job, computed
from use_cases.registry import discover

COHORT = discover()["prostate"].cohort("byar_greene")
POOLED, SCHEMA = COHORT.load(), COHORT.table
LEFT, RIGHT = POOLED.sample(400, seed=1, shuffle=True), POOLED.sample(350, seed=2, shuffle=True)


def _hidden(table: pl.DataFrame, columns: list[str]) -> TableSite:
    """A holder that truly lacks the other's columns."""
    blank = [pl.Series(name, [table[name].drop_nulls()[0]] * table.height, dtype=table[name].dtype) for name in columns]
    return TableSite({"ward": (SCHEMA, table.with_columns(blank))})


SITES = [_hidden(LEFT, ["treatment"]), TableSite({}), _hidden(RIGHT, ["stage", "performance"])]
HOLDERS = {"site-0": ["stage", "performance"], "site-2": ["treatment"]}


@pytest.mark.parametrize("minimum", [0, 10])
def test_the_linked_table_is_the_joined_one(minimum: int):
    job = a_job(
        "linked_contingency",
        ["stage", "performance", "treatment"],
        minimum_count=minimum,
        parameters={"holders": HOLDERS},
    )
    result = computed(linked_contingency, SITES, job)
    joined = LEFT.select("patient_id", "stage", "performance").join(
        RIGHT.select("patient_id", "treatment"), on="patient_id"
    )
    assert result["patients"] == joined.height
    counts = np.array(result["counts"], dtype=object)
    order = [list(SCHEMA[name].levels) for name in ("stage", "performance", "treatment")]
    expected = joined.group_by("stage", "performance", "treatment").len().rows()
    assert minimum == 0 or sum(row[-1] for row in expected if row[-1] < minimum) >= minimum
    for *levels, n in expected:
        place = tuple(order[i].index(str(level)) for i, level in enumerate(levels))
        assert counts[place] == (n if n >= minimum else None)
    assert sum(n or 0 for n in counts.ravel()) == sum(row[-1] for row in expected if row[-1] >= minimum)


def test_too_few_linked_patients_give_nothing():
    job = a_job(
        "linked_contingency",
        ["stage", "treatment"],
        minimum_count=400,
        parameters={"holders": {"site-2": ["treatment"], "site-0": ["stage"]}},
    )
    result = computed(linked_contingency, SITES, job)
    assert (result["patients"], result["counts"]) == (None, None)
    assert result["suppressed"] == [{"what": "all cells", "why": "fewer than 400 patients"}]


@pytest.mark.parametrize(
    "holders",
    [
        None,
        {"site-0": ["stage"]},
        {"site-0": ["stage"], "nobody": ["treatment"]},
        {"site-0": ["stage"], "site-2": ["stage"]},
    ],
)
def test_holders_must_share_out_the_columns(holders):
    with pytest.raises(ParameterError, match="holders must"):
        computed(
            linked_contingency,
            SITES,
            a_job("linked_contingency", ["stage", "treatment"], parameters={"holders": holders}),
        )
