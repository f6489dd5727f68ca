"""The three risks of WP216: copies are caught, fresh patients carry no risk."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from metrics.attacks.inference_risk import inference_risk, inferred
from metrics.attacks.linkability import dealt, linkability
from metrics.attacks.singling_out import singling_out
from records.errors import ParameterError
from records.schema import Schema

Draw = Callable[[int, int], pl.DataFrame]


def test_copies_are_caught(train: pl.DataFrame, holdout: pl.DataFrame, copied: pl.DataFrame, schema: Schema) -> None:
    rng = np.random.default_rng(0)
    singled = singling_out(train, holdout, copied, schema, rng=rng, attacks=300)
    assert singled.univariate.risk_lower > 0.3
    assert singled.multivariate.risk_lower > 0.3
    guessed = inference_risk(train, holdout, copied, schema, rng=rng)
    assert guessed.secrets["smoker"].risk_lower > 0.3
    assert guessed.worst.risk_lower >= guessed.secrets["smoker"].risk_lower
    assert linkability(train, holdout, copied, schema, rng=rng).risk_lower > 0.1


@pytest.mark.slow
def test_fresh_patients_carry_no_risk(draw: Draw, schema: Schema) -> None:
    """30 perfect synthesizers, 5 attacks each that alarm in up to 7 % (``risk``): more than 22 alarms, p < 0.001."""
    alarms, differences = 0, []
    for seed in range(30):
        tables, rng = (
            [draw(rows, 5000 + 3 * seed + i) for i, rows in enumerate((400, 250, 400))],
            np.random.default_rng(seed),
        )
        singled = singling_out(*tables, schema, rng=rng, attacks=200)
        secrets = inference_risk(*tables, schema, rng=rng).secrets
        risks = [
            singled.univariate,
            singled.multivariate,
            linkability(*tables, schema, rng=rng),
            secrets["smoker"],
            secrets["event"],
        ]
        alarms += sum(risk.risk_lower > 0.01 for risk in risks)
        differences += [risk.attack_rate.value - risk.control_rate.value for risk in risks]
    assert alarms <= 22
    assert abs(np.mean(differences)) < 0.02


def test_a_planted_leak_is_measured(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    """A third of the training patients copied: the risk of a coin-toss secret is about a third, its interval 0.25 wide."""
    third = pl.concat([train[: train.height // 3], fresh])
    risk = inference_risk(train, holdout, third, schema, rng=np.random.default_rng(0)).secrets["smoker"]
    assert risk.risk_lower <= 1 / 3 <= risk.risk_upper


def test_secrets_are_compared_as_the_protocol_has_it(schema: Schema) -> None:
    marker, smoker = schema["marker"], schema["smoker"]
    guesses = pl.DataFrame({"marker": [100.0, 100.0, None, None, 1.0], "smoker": ["0", "1", None, None, "0"]})
    targets = pl.DataFrame({"marker": [104.9, 94.0, None, 1.0, None], "smoker": ["0", "0", None, "1", None]})
    assert inferred(guesses, targets, marker).tolist() == [True, False, True, False, False]
    assert inferred(guesses, targets, smoker).tolist() == [True, False, True, False, False]


def test_known_columns_are_dealt_to_both_sides(schema: Schema) -> None:
    assert [[c.name for c in half] for half in dealt(schema)] == [["age", "stage"], ["marker", "doctor_guess"]]


def test_more_neighbours_link_more(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    rates = [
        linkability(train, holdout, fresh, schema, rng=np.random.default_rng(0), neighbours=n).attack_rate.value
        for n in (1, 5, 500)
    ]
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] > 0.99


@pytest.mark.parametrize("rows", [0, 1])
def test_tiny_candidates_do_not_crash(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, rows: int
) -> None:
    rng = np.random.default_rng(0)
    reports = [
        f(train, holdout, fresh[:rows], schema, rng=rng).to_json() for f in (singling_out, linkability, inference_risk)
    ]
    json.dumps(reports, allow_nan=False)
    if rows == 0:
        assert "no row" in reports[1]["reason"]
        assert reports[1]["risk"] is None


def test_a_schema_without_secrets_or_known_columns_gives_a_reason(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    rng, bare = np.random.default_rng(0), schema.select(["patient", "hospital", "age"])
    assert "no sensitive column" in inference_risk(train, holdout, fresh, bare, rng=rng).reason
    assert "two known columns" in linkability(train, holdout, fresh, bare, rng=rng).reason


def test_parameters_out_of_range_are_refused(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="neighbours must be at least 1, got 0"):
        linkability(train, holdout, fresh, schema, rng=rng, neighbours=0)
    with pytest.raises(ParameterError, match="columns_per_predicate must be at least 1, got 0"):
        singling_out(train, holdout, fresh, schema, rng=rng, columns_per_predicate=0)
