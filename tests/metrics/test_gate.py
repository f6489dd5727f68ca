"""The gate refuses whatever is over a limit, missing, not a number, or of another candidate."""

import json
from copy import deepcopy
from typing import Any

import pytest

from metrics.gate import Limits, Verdict, judge
from records.privacy import PrivacySpend

HASH = "a" * 64
GOOD: dict[str, Any] = {
    "utility": {
        "candidate_sha256": HASH, "tstr_auc": 0.72, "tstr_auc_lower": 0.66, "tstr_loss": 0.03, "reason": None,
        "subgroups": {"worst": {"lower": 0.01}},
    },
    "fidelity": {"candidate_sha256": HASH, "mean_tvd2": 0.08, "broken_rows": 0.0},
    "privacy": {
        "candidate_sha256": HASH, "auc_lower": 0.47, "exact_copies_excess": 0.0, "candidates": {"members": 200},
        "membership": {
            "worst": {"attack": "Gen-LRA", "group": "most vulnerable", "auc_lower": 0.45},
            "worst_of_all_candidates": {"auc_upper": 0.57},
        },
        "near_copies_excess": 0.001, "singling_out": {"worst": {"risk_lower": 0.0}},
        "linkability": {"risk_lower": 0.0}, "inference": {"worst": {"risk_lower": 0.01}},
        "reconstruction": {"worst": {"advantage_lower": -0.02}},
    },
}  # fmt: skip


def verdict(spend: PrivacySpend, limits: Limits | None = None, rows: int = 500, **changes: dict[str, Any]) -> Verdict:
    reports = deepcopy(GOOD)
    for name, change in changes.items():
        for path, value in change.items():
            at = reports[name]
            *parents, key = path.split(".")
            for parent in parents:
                at = at[parent]
            at[key] = value
    return judge(candidate_sha256=HASH, rows=rows, spend=spend, limits=limits or Limits(), **reports)


def test_good_candidate_is_released(spend: PrivacySpend) -> None:
    found = verdict(spend)
    assert found.released
    assert found.reasons == []
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["candidate_sha256"] == HASH


@pytest.mark.parametrize("report", ["utility", "fidelity", "privacy"])
@pytest.mark.parametrize("other", ["b" * 64, None, ""])
def test_report_of_another_candidate_is_refused(spend: PrivacySpend, report: str, other: str | None) -> None:
    found = verdict(spend, **{report: {"candidate_sha256": other}})
    assert not found.released
    assert found.reasons == [f"{report}: report of another candidate"]


MEASURED = [
    ("utility", "tstr_auc", 0.4), ("utility", "tstr_loss", 0.2), ("fidelity", "mean_tvd2", 0.5),
    ("utility", "tstr_auc_lower", 0.49), ("utility", "subgroups.worst.lower", 0.3), ("fidelity", "broken_rows", 0.2),
    ("privacy", "auc_lower", 0.6), ("privacy", "exact_copies_excess", 0.2), ("privacy", "candidates.members", 4),
    ("privacy", "membership.worst.auc_lower", 0.6), ("privacy", "membership.worst_of_all_candidates.auc_upper", 0.8),
    ("privacy", "near_copies_excess", 0.2), ("privacy", "singling_out.worst.risk_lower", 0.2),
    ("privacy", "linkability.risk_lower", 0.2), ("privacy", "inference.worst.risk_lower", 0.2),
    ("privacy", "reconstruction.worst.advantage_lower", 0.2),
]  # fmt: skip


@pytest.mark.parametrize(("report", "key", "bad"), MEASURED)
def test_value_over_its_limit_is_refused(spend: PrivacySpend, report: str, key: str, bad: Any) -> None:
    found = verdict(spend, **{report: {key: bad}})
    assert not found.released
    assert len(found.reasons) == 1


@pytest.mark.parametrize(("report", "key"), [case[:2] for case in MEASURED])
@pytest.mark.parametrize("nothing", [None, float("nan"), float("-inf"), True, "0"])
def test_missing_value_fails(spend: PrivacySpend, report: str, key: str, nothing: Any) -> None:
    found = verdict(spend, **{report: {key: nothing}})
    assert not found.released
    assert "unknown" in found.reasons[0]


APPLICABLE = [
    ("privacy", "singling_out"), ("privacy", "linkability"), ("privacy", "inference"), ("privacy", "reconstruction"),
    ("utility", "subgroups"),
]  # fmt: skip


@pytest.mark.parametrize(("report", "part"), APPLICABLE)
def test_a_part_that_does_not_apply_is_passed_over_and_said(spend: PrivacySpend, report: str, part: str) -> None:
    found = verdict(spend, **{report: {part: None, "reasons": {part: "the codebook names no secret"}}})
    assert found.released
    assert any("does not apply, the codebook names no secret" in f.words for f in found.findings)


@pytest.mark.parametrize(("report", "part"), APPLICABLE)
def test_a_part_without_figures_or_reason_fails(spend: PrivacySpend, report: str, part: str) -> None:
    assert not verdict(spend, **{report: {part: None, "reasons": {}}}).released
    assert not verdict(spend, **{report: {part: None, "reasons": {part: ""}}}).released


def test_empty_reports_fail_everything() -> None:
    found = judge(candidate_sha256=HASH, rows=500, spend={}, utility={}, fidelity={}, privacy={}, limits=Limits())
    assert len(found.reasons) == len(found.findings) - 1


def test_candidate_without_a_hash_is_refused(spend: PrivacySpend) -> None:
    reports = {name: report | {"candidate_sha256": ""} for name, report in GOOD.items()}
    assert not judge(candidate_sha256="", rows=500, spend=spend, limits=Limits(), **reports).released


def test_non_private_needs_permission() -> None:
    assert "no privacy guarantee" in verdict(PrivacySpend()).reasons[0]
    allowed = verdict(PrivacySpend(), Limits(allow_non_private=True))
    assert allowed.released
    assert any("say so" in finding.words for finding in allowed.findings)


@pytest.mark.parametrize(
    "change",
    [{"epsilon": 10.1}, {"epsilon": float("nan")}, {"delta": 0.1}, {"delta": None}, {"rho": 0.1}, {"rho": None},
     {"mechanisms": []}],
)  # fmt: skip
def test_spend_over_its_limit_or_not_adding_up_is_refused(spend: PrivacySpend, change: dict[str, Any]) -> None:
    cost = spend.to_json() | change
    assert len(judge(candidate_sha256=HASH, rows=500, spend=cost, limits=Limits(), **GOOD).reasons) == 1


def test_too_few_rows_are_refused(spend: PrivacySpend) -> None:
    assert verdict(spend, rows=49).reasons == ["number of synthetic rows is 49, below the minimum of 50"]


def test_reason_of_missing_utility_is_told(spend: PrivacySpend) -> None:
    change = {"tstr_auc": None, "reason": "the outcome has one class only in synthetic"}
    assert "one class only" in verdict(spend, utility=change).reasons[0]
