"""Sites in memory: filters, codebooks without patients, and refusals."""

import polars as pl
import pytest

from federation.jobs.job import Filter
from federation.site import TableSite
from records.errors import ParameterError
from records.schema import Column, Kind, Role, Schema

SCHEMA = Schema(
    name="ward", title="Ward",
    columns=(
        Column(name="age", label="Age", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=18, maximum=99, missing=True),
        Column(name="sex", label="Sex", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"f": "F", "m": "M"}, missing=True),
    ),
)  # fmt: skip
TABLE = pl.DataFrame({"age": [20, 50, None, 80], "sex": ["f", "m", "f", None]}, schema=SCHEMA.polars())
SITE = TableSite({"ward": (SCHEMA, TABLE), "other": (SCHEMA, None)})


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ((), 4),
        ((Filter(column="sex", op="==", value="f"),), 2),
        ((Filter(column="sex", op="!=", value="f"),), 1),
        ((Filter(column="sex", op="in", value=("f", "m")),), 3),
        ((Filter(column="age", op=">=", value=50),), 2),
        ((Filter(column="age", op="<", value=50),), 1),
        ((Filter(column="age", op="in", value=(20, 80)),), 2),
        ((Filter(column="age", op=">", value=20), Filter(column="sex", op="==", value="m")), 1),
    ],
)
def test_filters_keep_the_patients_that_fulfil_all_of_them_and_missing_fulfils_none(filters, rows):
    assert SITE.table("ward", ["age"], filters).height == rows


def test_a_site_without_patients_knows_the_codebook_and_gives_no_rows():
    assert SITE.datasets() == ["ward"]
    assert SITE.schema("other") == SCHEMA
    assert SITE.table("other", ["sex"]).height == 0


def test_attributes_are_level_numbers_with_missing_last():
    codes, levels = SITE.attributes("ward", columns=["sex"])["sex"]
    assert (codes.tolist(), levels) == ([0, 1, 0, 2], 3)


@pytest.mark.parametrize(
    "one",
    [
        Filter(column="sex", op="==", value="x"),
        Filter(column="sex", op="<", value="f"),
        Filter(column="age", op="==", value=17),
        Filter(column="age", op="==", value="20"),
        Filter(column="weight", op="==", value=1),
    ],
)
def test_filters_that_the_codebook_does_not_know_are_refused(one):
    with pytest.raises(ParameterError, match="must"):
        SITE.table("ward", ["age"], [one])


def test_data_sets_and_columns_that_are_not_offered_are_refused():
    with pytest.raises(ParameterError, match="data set must be one"):
        SITE.table("lung", ["age"])
    with pytest.raises(ParameterError, match="columns must be"):
        SITE.table("ward", ["weight"])
