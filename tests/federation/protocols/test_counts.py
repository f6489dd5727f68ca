"""Counts and tables of real cohorts split by hospital, against the pooled table."""

import numpy as np
import polars as pl
import pytest

from federation.errors import MismatchError
from federation.jobs.job import Filter
from federation.protocols.counts import contingency, count, histogram
from federation.site import TableSite
from records.errors import ParameterError
from tests.federation.parties import a_job, computed, hospitals

NCCTG, POOLED, SCHEMA = hospitals("lung", "ncctg_lung")


def _expected(columns: list[str], minimum: int) -> dict[tuple[str, ...], int]:
    groups = [(tuple(str(v) for v in row[:-1]), row[-1]) for row in POOLED.group_by(columns).len().iter_rows()]
    large = {cell: n for cell, n in groups if n >= minimum}
    hidden = sum(n for _, n in groups) - sum(large.values())
    if minimum and hidden < minimum:
        large.pop(min(large, key=lambda cell: large[cell]))
    return large


def test_the_number_of_patients_is_the_pooled_one():
    result = computed(count, NCCTG, a_job("count"))
    assert result["patients"] == POOLED.height
    assert (result["parties"], result["suppressed"], result["privacy"]) == (3, [], None)


def test_filters_apply_at_every_hospital():
    men = Filter(column="sex", op="==", value="male")
    result = computed(count, NCCTG, a_job("count", filters=(men,)))
    assert result["patients"] == POOLED.filter(pl.col("sex") == "male").height


@pytest.mark.parametrize("minimum", [0, 5, 60])
def test_a_contingency_table_holds_exactly_the_large_enough_cells(minimum: int):
    result = computed(contingency, NCCTG, a_job("contingency", ["sex", "ecog"], minimum_count=minimum))
    expected = _expected(["sex", "ecog"], minimum)
    found = {
        (sex.lower(), {"missing": "None"}.get(ecog, ecog)): result["counts"][i][j]
        for i, sex in enumerate(result["axes"][0]["levels"])
        for j, ecog in enumerate(result["axes"][1]["levels"])
        if result["counts"][i][j]
    }
    assert found == expected
    hidden = int(np.sum(np.array(result["counts"], dtype=object) == None))  # noqa: E711, element-wise
    assert result["suppressed"] == (
        [] if minimum == 0 else [{"what": f"{hidden} of 12 cells", "why": f"fewer than {minimum} patients"}]
    )


def test_histograms_use_the_codebooks_bins():
    result = computed(histogram, NCCTG, a_job("histogram", ["age", "sex"], minimum_count=10))
    ages = np.histogram(POOLED["age"], bins=[18, 40, 50, 60, 65, 70, 75, 80, 85, 120])[0]
    wanted: list[int | None] = [int(n) if n >= 10 else None for n in ages]
    if sum(n for n in ages if n < 10) < 10:
        wanted[wanted.index(min(n for n in wanted if n))] = None
    assert result["columns"][0]["counts"] == wanted
    assert sum(result["columns"][1]["counts"]) == POOLED.height


def test_a_single_small_cell_takes_the_next_smallest_with_it():
    """Else the total, which the other histogram tells, would give it away."""
    counts = {"event": [3, 40], "sex": [20, 23]}
    table = pl.DataFrame(
        {"event": ["0"] * 3 + ["1"] * 40, "sex": ["female"] * 20 + ["male"] * 23},
        schema={n: SCHEMA[n].dtype for n in counts},
    )
    schema = SCHEMA.select(counts)
    sites = [TableSite({"ward": (schema, table[i::3])}) for i in range(3)]
    result = computed(histogram, sites, a_job("histogram", ["event", "sex"]))
    assert [column["counts"] for column in result["columns"]] == [[None, None], [20, 23]]


def test_small_cells_that_are_enough_together_take_nothing_with_them():
    table = pl.DataFrame({"ecog": ["0"] * 3 + ["1"] * 3 + ["2"] * 30}, schema={"ecog": SCHEMA["ecog"].dtype})
    site = TableSite({"ward": (SCHEMA.select(["ecog"]), table)})
    result = computed(histogram, [site, TableSite({}), TableSite({})], a_job("histogram", ["ecog"]))
    assert result["columns"][0]["counts"] == [None, None, 30, None, None, None]


def test_a_party_without_data_computes_along():
    sites = [*NCCTG, TableSite({})]
    result = computed(contingency, sites, a_job("contingency", ["sex", "event"], parties=4))
    assert sum(map(sum, result["counts"])) == POOLED.height


def test_eighteen_institutions_as_parties_give_the_same():
    sites, _, _ = hospitals("lung", "ncctg_lung", parties=19)
    result = computed(contingency, sites, a_job("contingency", ["sex", "event"], parties=19, threshold=2))
    assert sum(map(sum, result["counts"])) == POOLED.height


def test_contributions_can_be_proved_to_lie_within_a_bound():
    result = computed(contingency, NCCTG, a_job("contingency", ["sex", "event"], parameters={"bound": 200}))
    assert sum(map(sum, result["counts"])) == POOLED.height


def test_different_codebooks_are_named_before_anything_is_shared():
    sex = SCHEMA["sex"].model_copy(update={"levels": {"female": "F", "male": "M", "other": "O"}})
    odd = SCHEMA.model_copy(update={"columns": tuple(sex if c.name == "sex" else c for c in SCHEMA.columns)})
    table = NCCTG[1].table("ward", SCHEMA.names).with_columns(pl.col("sex").cast(pl.String).cast(sex.dtype))
    with pytest.raises(MismatchError, match=r"another from site-[01] in sex"):
        computed(
            contingency, [NCCTG[0], TableSite({"ward": (odd, table)}), NCCTG[2]], a_job("contingency", ["sex", "event"])
        )


def test_a_hospital_without_patients_is_refused_at_that_hospital():
    empty = TableSite({"ward": (SCHEMA, pl.DataFrame(schema=SCHEMA.polars()))})
    with pytest.raises(ParameterError, match="must have patients here, got 0"):
        computed(count, [NCCTG[0], NCCTG[1], empty], a_job("count"))


@pytest.mark.parametrize(
    ("kind", "columns", "words"),
    [
        (contingency, ["sex"], "at least 2 columns"),
        (histogram, [], "at least 1 columns"),
        (histogram, ["weight"], "columns must be those of ward, got weight"),
        (contingency, [*["age", "sex", "ecog", "karnofsky", "karnofsky_patient", "calories", "weight_loss", "time", "institution"]], "at most 10000000 cells"),
    ],
)  # fmt: skip
def test_bad_questions_are_refused(kind, columns, words):
    with pytest.raises(ParameterError, match=words):
        computed(kind, NCCTG, a_job("contingency" if kind is contingency else "histogram", columns))
