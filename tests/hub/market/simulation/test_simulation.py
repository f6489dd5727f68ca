"""The simulated market: strategies do what they say, rounds repeat, money adds up, honest provision is the yardstick."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hub.market.simulation.rounds import CROWD, simulate
from hub.market.simulation.rules import RULES
from hub.market.simulation.strategies import STRATEGIES, Means, dealt
from hub.market.simulation.summary import NAMES, gains, write
from hub.market.simulation.table import LABEL, Study, study
from hub.valuation.fingerprints import fingerprints
from records.errors import ParameterError
from tests.hub.valuation.people import KEY, SCHEMA, patients


@pytest.fixture(scope="module")
def invented() -> Study:
    return study(patients(1, 400), SCHEMA)


@pytest.fixture(scope="module")
def played(invented: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    return simulate([invented], 2, 5)


def means(invented: Study) -> Means:
    return Means(invented.frame[:60], invented.frame[60:120], invented.schema, np.random.default_rng(1))


def test_a_study_has_features_and_a_label_and_no_identifier(invented: Study) -> None:
    assert set(invented.frame.columns) == {"x0", "x1", "x2", "x3", "x4", "ward", LABEL}
    assert invented.frame[LABEL].null_count() == 0
    with pytest.raises(ParameterError, match="200 patients with an outcome, got 50"):
        study(patients(1, 50), SCHEMA)


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_what_is_listed_is_a_table_of_the_codebook(invented: Study, name: str) -> None:
    had = means(invented)
    for table in STRATEGIES[name].listed(had).values():
        assert table.schema == had.own.schema
        assert fingerprints(table, invented.schema, KEY).whole.shape == (table.height,)
        for column in invented.schema.columns:
            if column.numeric:
                assert table[column.name].is_between(column.minimum or 0, column.maximum or 0).all()


def test_strategies_do_what_they_say(invented: Study) -> None:
    had = means(invented)
    listed = {name: one.listed(had) for name, one in STRATEGIES.items()}
    assert listed["honest"]["focal"].equals(had.own)
    poisoned = listed["poisoning"]["focal"]
    assert (poisoned[LABEL].cast(pl.String) != had.own[LABEL].cast(pl.String)).all()
    assert poisoned.drop(LABEL).equals(had.own.drop(LABEL))
    assert listed["random outcomes"]["focal"].drop(LABEL).equals(had.own.drop(LABEL))
    assert listed["copying"]["focal"].equals(had.others)
    assert pl.concat(listed["divided in three"].values()).sort(pl.all()).equals(had.own.sort(pl.all()))
    assert listed["own rows x 3, jitter 3 %"]["focal"].unique().height > 150


def test_patients_are_dealt_once() -> None:
    parts = dealt(101, {"a": 2, "b": 1, "c": 1}, np.random.default_rng(0))
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(101))


@pytest.mark.slow
def test_money_adds_up_and_the_same_seed_gives_the_same_market(invented: Study, played) -> None:
    deviations, crowd = played
    assert deviations.height == 2 * len(STRATEGIES) * len(RULES)
    assert (deviations["cents"] <= deviations["revenue"]).all()
    whole = crowd.group_by("round", "rule").agg(pl.col("cents").sum(), pl.col("revenue").first(), pl.len())
    assert (whole["len"] == len(CROWD) + 1).all()
    assert whole.filter(rule="equal")["cents"].equals(whole.filter(rule="equal")["revenue"])
    assert whole.filter((pl.col("cents") != pl.col("revenue")) & (pl.col("cents") != 0)).is_empty()
    assert simulate([invented], 1, 5)[0].equals(deviations.filter(round=0))


@pytest.mark.slow
def test_gains_are_beside_honesty(played) -> None:
    found = gains(played[0])
    assert set(found.filter(strategy="honest")["gain"].drop_nulls()) <= {0.0}
    assert found.filter(strategy="two names", rule="equal")["gain"][0] == pytest.approx(0.75, abs=0.01)
    copies = found.filter(pl.col("strategy").is_in(["copying", "own rows x 3"]), rule="ours")
    assert (copies["gain"].drop_nulls() <= 1e-9).all()


@pytest.mark.slow
def test_all_files_are_written(tmp_path: Path, played) -> None:
    deviations, crowd = played
    write(tmp_path / "market", deviations, crowd, {"rounds": 2, "seed": 5, "cohorts": ["invented"]})
    assert {path.name for path in (tmp_path / "market").iterdir()} == set(NAMES)
    summary = json.loads((tmp_path / "market" / "summary.json").read_bytes())
    assert len(summary["gains"]) == len(STRATEGIES) * len(RULES)
    assert "| two names |" in (tmp_path / "market" / "summary.md").read_text()


def test_no_round_is_refused(invented: Study) -> None:
    with pytest.raises(ParameterError, match="a round and a cohort, got 0 and 1"):
        simulate([invented], 0, 0)
