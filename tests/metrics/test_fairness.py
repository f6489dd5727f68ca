"""Subgroups: the planted loss is found, small groups are unknown, figures equal independent computations."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from metrics.fairness import FairnessReport, fairness
from metrics.plots.subgroups import subgroups_plot
from metrics.utility.subgroups import subgroups
from metrics.utility.train_test import train_test
from records.schema import Column, Kind, Outcome, Role, Schema
from tests.metrics.conftest import Draw

pytestmark = pytest.mark.slow

SCHEMA = Schema(
    name="grouped",
    title="Grouped",
    columns=(
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={"f": "F", "m": "M"}),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=20, maximum=100,
               bins=(30, 40, 50, 60, 70, 80, 90), missing=True),
        Column(name="site", label="Site", role=Role.SITE, kind=Kind.CATEGORY, levels={s: s.upper() for s in "abc"}),
        Column(name="marker", label="Marker", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-6, maximum=6),
        Column(name="ill", label="Ill", role=Role.OUTCOME, kind=Kind.CATEGORY, levels={"0": "no", "1": "yes"}),
    ),
    outcomes=(Outcome(name="ill", label="Ill", column="ill", positive=("1",)),),
)  # fmt: skip


def _cohort(rows: int, seed: int, *, reversed_in: str | None = None) -> pl.DataFrame:
    """Illness follows the marker; in one sex of a bad synthetic table it follows its opposite."""
    rng = np.random.default_rng(seed)
    sex, marker = np.where(rng.random(rows) < 0.5, "f", "m"), rng.normal(size=rows).clip(-6, 6)
    slope = np.where(sex == (reversed_in or ""), -2.0, 2.0)
    ill = rng.random(rows) < 1 / (1 + np.exp(-slope * marker))
    site = np.where(rng.random(rows) < 0.01, "c", np.where(rng.random(rows) < 0.4, "a", "b"))
    frame = {"sex": sex, "age": rng.integers(20, 101, rows), "site": site, "marker": marker, "ill": ill.astype(int)}
    return pl.DataFrame(frame).with_columns(pl.col("ill").cast(pl.String)).cast(SCHEMA.polars())


@pytest.fixture(scope="module")
def tables() -> tuple[pl.DataFrame, pl.DataFrame]:
    return _cohort(1500, 1), _cohort(800, 2)


def _fairness(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame) -> FairnessReport:
    outcome = SCHEMA.outcomes[0]
    trained = train_test(train, holdout, synthetic, SCHEMA, outcome, seed=0)
    return fairness(train, holdout, synthetic, SCHEMA, outcome, trained, rng=np.random.default_rng(0))


def test_association_destroyed_in_one_sex_makes_it_the_worst_group(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    report = _fairness(*tables, _cohort(1500, 3, reversed_in="f"))
    assert (report.worst["column"], report.worst["group"]) == ("sex", "F")
    assert report.worst["lower"] > 0.2
    men = next(g for g in report.groups if g["group"] == "M")
    assert men["utility"]["loss_upper"] < 0.15
    assert report.plain.startswith("In the worst of")
    assert "Sex: F" in report.plain


def test_copy_loses_nothing_and_is_as_large(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, holdout = tables
    report = _fairness(train, holdout, train)
    for group in report.groups:
        if group["known"]:
            assert group["utility"]["loss"] == 0
            assert group["fidelity"]["synthetic"] == 0
            assert group["fidelity"]["holdout"] > 0
        if group["representation"]["ratio"] is not None:
            assert group["representation"]["ratio"] == pytest.approx(1, abs=0.2)


def test_small_groups_are_unknown_never_fair(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    report = _fairness(*tables, _cohort(1500, 3))
    site_c, no_age = (next(g for g in report.groups if g["group"] == name) for name in ("C", "missing"))
    for group in (site_c, no_age):
        assert not group["known"]
        assert group["utility"] is None
        assert "fewer than 30 holdout patients" in group["reason"]
    assert no_age["representation"]["ratio"] is None
    assert report.unknown == 2
    assert "2 subgroups are too small to tell, which is not the same as fair" in report.plain


def test_few_events_are_unknown(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, holdout = tables
    well = holdout.filter((pl.col("sex") == "m") | (pl.col("ill") == "0"))
    women = next(g for g in _fairness(train, well, train).groups if g["group"] == "F")
    assert "with, or without, the event" in women["reason"]


def test_figures_equal_independent_computations(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, holdout = tables
    synthetic, outcome = _cohort(1500, 3), SCHEMA.outcomes[0]
    trained = train_test(train, holdout, synthetic, SCHEMA, outcome, seed=0)
    report = fairness(train, holdout, synthetic, SCHEMA, outcome, trained, rng=np.random.default_rng(0))
    men = next(g for g in report.groups if g["group"] == "M")
    inside = (holdout["sex"] == "m").to_numpy()
    label, risk = trained.test.label[inside], trained.chosen_fits["tstr"].risk[inside]
    assert men["utility"]["tstr_auc"] == pytest.approx(roc_auc_score(label, risk))
    assert men["utility"]["calibration_in_the_large"] == pytest.approx(risk.mean() - label.mean())
    made = (synthetic["sex"] == "m").sum()
    assert men["representation"]["synthetic"] == pytest.approx(made / 1500)
    share = binomtest(int(made), 1500).proportion_ci(method="wilson")
    width = (men["representation"]["upper"] - men["representation"]["lower"]) * men["representation"]["real"]
    assert width == pytest.approx(np.sqrt(2) * (share.high - share.low), rel=0.05)


def test_real_counts_are_multiples_of_five_and_json_is_valid(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    report = _fairness(*tables, _cohort(1500, 3)).to_json()
    json.dumps(report, allow_nan=False)
    for group in report["groups"]:
        assert all(group["counts"][name] % 5 == 0 for name in ("train", "holdout", "holdout_events"))
    assert subgroups_plot(report).startswith(b"\x89PNG")


def test_group_absent_from_the_synthetic_table(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    women_only = _cohort(1500, 3).filter(pl.col("sex") == "f")
    men = next(g for g in _fairness(*tables, women_only).groups if g["group"] == "M")
    assert men["representation"]["ratio"] == 0
    assert men["representation"]["upper"] < 0.8
    assert men["fidelity"] is None
    assert subgroups_plot(_fairness(*tables, women_only).to_json())


def test_no_quasi_identifier_and_empty_tables_are_stated(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, holdout = tables
    plain = SCHEMA.select(["marker", "ill"])
    trained = train_test(train, holdout, train, plain, plain.outcomes[0], seed=0)
    report = fairness(train, holdout, train, plain, plain.outcomes[0], trained, rng=np.random.default_rng(0))
    assert "no quasi-identifier" in report.plain
    assert subgroups_plot(report.to_json()).startswith(b"\x89PNG")
    for empty in (_fairness(train, holdout, train.clear()), _fairness(train, holdout.clear(), train)):
        assert empty.known == 0
        assert "not the same as fair" in empty.plain


def test_bands_follow_the_codebook_and_cover_everybody(tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    ages = [g for g in subgroups(SCHEMA, tables[0]) if g.column.name == "age"]
    assert [g.label for g in ages] == ["20 to below 40", "40 to below 60", "60 to below 80", "80 to 100", "missing"]
    members = np.sum([g.members(tables[0]) for g in ages], axis=0)
    assert (members == 1).all()
    below_40 = ((tables[0]["age"] >= 20) & (tables[0]["age"] < 40)).to_numpy()
    assert (ages[0].members(tables[0]) == below_40).all()


def test_of_many_levels_the_twelve_most_frequent_with_fifty_patients() -> None:
    column = Column(name="country", label="Country", role=Role.SITE, kind=Kind.CATEGORY,
                    levels={f"c{i}": f"C{i}" for i in range(20)})  # fmt: skip
    schema = Schema(name="many", title="Many", columns=(column,))
    counts = [100] * 5 + [40] * 5 + [60] * 10
    names = np.repeat([f"c{i}" for i in range(20)], counts)
    chosen = [g.label for g in subgroups(schema, pl.DataFrame({"country": names}).cast(schema.polars()))]
    assert len(chosen) == 12
    assert {f"C{i}" for i in range(5)} <= set(chosen)
    assert not {f"C{i}" for i in range(5, 10)} & set(chosen)


def test_hospitals_that_are_not_released_have_utility_only(schema: Schema, draw: Draw) -> None:
    outcome, site = schema.outcomes[0], schema["hospital"]
    rest = schema.select(n for n in schema.names if n not in ("hospital", "patient"))
    train, holdout, made = draw(800, 1), draw(600, 2), draw(800, 3).select(rest.names)
    trained = train_test(train, holdout, made, rest, outcome, seed=0)
    report = fairness(train, holdout, made, rest, outcome, trained, rng=np.random.default_rng(0), site=site)
    hospitals = [g for g in report.groups if g["column"] == "hospital"]
    assert [g["group"] for g in hospitals] == ["A", "B"]
    for group in hospitals:
        assert group["utility"] is not None
        assert group["fidelity"] is None
        assert group["representation"]["synthetic"] is None
        assert 0 < group["representation"]["real"] < 1
    assert subgroups_plot(report.to_json()).startswith(b"\x89PNG")
