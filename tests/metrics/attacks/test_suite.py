"""The suite alarms on copies, is silent on fresh patients, and its intervals cover a leak of known strength."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from metrics.attacks import suite as module
from metrics.attacks.suite import ATTACKS, GROUPS, MembershipSuite, membership_suite
from metrics.attacks.vulnerable import most_vulnerable
from records.errors import ParameterError
from records.schema import Schema

Draw = Callable[[int, int], pl.DataFrame]


def suite(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema) -> MembershipSuite:
    return membership_suite(train, holdout, synthetic, schema, rng=np.random.default_rng(0))


def test_every_attack_alarms_on_copies(train: pl.DataFrame, holdout: pl.DataFrame, schema: Schema) -> None:
    """Five bootstrap copies of the training table hold all but 0.7 % of the patients."""
    rng = np.random.default_rng(0)
    report = suite(train, holdout, train[rng.integers(train.height, size=5 * train.height)], schema)
    assert {(r.attack, r.group) for r in report.attacks} == {(a, g) for a in ATTACKS for g in GROUPS}
    for result in report.attacks:
        assert result.auc_lower > (0.9 if result.group == "all" else 0.75), result
    assert report.worst["auc_lower"] > 0.9


def test_one_bootstrap_copy_reaches_its_ceiling(
    train: pl.DataFrame, holdout: pl.DataFrame, copied: pl.DataFrame, schema: Schema
) -> None:
    """A bootstrap copy of the same size leaves out 37 % of the patients: no AUC can exceed .632 + .368 / 2 = .816."""
    for result in suite(train, holdout, copied, schema).attacks:
        if result.group == "all":
            assert result.auc_lower > 0.68
            assert result.auc < 0.86


def test_no_alarm_without_a_leak(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    """Fresh patients, and independent columns of the population."""
    rng = np.random.default_rng(0)
    independent = fresh.select(fresh[name][rng.permutation(fresh.height)] for name in fresh.columns)
    for synthetic in (fresh, independent):
        report = suite(train, holdout, synthetic, schema)
        assert report.worst["auc_lower"] < 0.5 < report.worst["auc_upper"]


def test_values_kept_to_the_last_digit_are_a_leak(
    train: pl.DataFrame, holdout: pl.DataFrame, shuffled: pl.DataFrame, schema: Schema
) -> None:
    """Shuffled columns hold no patient, but each unique laboratory value of a member and none of a control."""
    results = {(r.attack, r.group): r for r in suite(train, holdout, shuffled, schema).attacks}
    assert results["record linkage", "all"].auc_lower > 0.5
    assert results["nearest copy", "all"].auc_lower < 0.5


def test_report_is_json_without_patients(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema
) -> None:
    report = suite(train, holdout, fresh, schema).to_json()
    json.dumps(report, allow_nan=False)
    keys = {"attack", "group", "members", "auc", "auc_lower", "auc_upper", "tpr_at_fpr"}
    assert all(keys <= set(result) for result in report["attacks"])
    assert set(report["worst"]) == {"attack", "group", "auc", "auc_lower", "auc_upper"}
    assert report["candidates"] == {"members": 300, "non_members": 300, "synthetic": 500, "reference": 150}
    assert report["subsampled"] == "drawn at random: 300 of 500 members"
    rates = {found["fpr"]: found for found in report["attacks"][0]["tpr_at_fpr"]}
    assert rates[0.001]["tpr"] is None
    assert "at least 1000" in rates[0.001]["reason"]
    assert rates[0.05]["lower"] <= rates[0.05]["tpr"] <= rates[0.05]["upper"]


def test_enough_controls_give_one_in_a_thousand(draw: Draw, schema: Schema) -> None:
    report = membership_suite(*(draw(1000, i) for i in range(3)), schema, rng=np.random.default_rng(0), draws=1)
    assert report.attacks[0].tpr_at_fpr[0]["tpr"] is not None


def test_the_release_does_not_choose_its_targets(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most vulnerable are the same whatever was released."""
    chosen = []
    monkeypatch.setattr(module, "most_vulnerable", lambda pool: chosen.append(most_vulnerable(pool)) or chosen[-1])
    for synthetic in (fresh, train):
        suite(train, holdout, synthetic, schema)
    assert np.array_equal(chosen[:5], chosen[5:])


@pytest.mark.parametrize("rows", [0, 5])
def test_too_few_rows_give_a_reason(
    train: pl.DataFrame, holdout: pl.DataFrame, fresh: pl.DataFrame, schema: Schema, rows: int
) -> None:
    report = suite(train, holdout if rows == 0 else holdout[:rows], fresh[:rows] if rows == 0 else fresh, schema)
    assert report.worst is None
    assert report.attacks == []
    assert report.reason


def test_draws_must_be_positive(train: pl.DataFrame, schema: Schema) -> None:
    with pytest.raises(ParameterError, match="draws must be at least 1"):
        membership_suite(train, train, train, schema, rng=np.random.default_rng(0), draws=0)
