"""The gate: a pure verdict on one candidate from its reports and the release limits, with reasons in plain words.

Belongs here: limits, findings and the verdict. Does not belong here: measuring (``fidelity``, ``utility``,
``membership``), storing or publishing (``assets``). A value that is missing or not a number fails, never passes; a
report of another candidate fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pydantic import Field

from metrics.plain import plain
from records.privacy import PrivacySpend
from records.schema import Frozen

ROUNDING_ERROR = 1e-6


class Limits(Frozen):
    """What a candidate must keep to be released.

    Parameters
    ----------
    max_epsilon, max_delta : float
        Differential privacy of the release.
    max_membership_auc_lower : float
        The lower 95 % bound of the membership attack's AUC must not exceed it (0.5 is guessing).
    max_exact_copies_excess : float
        Share of synthetic rows that copy a training patient, beyond chance.
    min_attack_candidates : int
        Fewest members attacked; with fewer, a harmless attack is no evidence.
    max_tstr_loss, min_tstr_auc : float
        Loss of AUC against training on real data, and the least AUC.
    max_mean_tvd2 : float
        Mean two-way total variation distance to the training table.
    min_rows : int
        Fewest synthetic rows.
    allow_non_private : bool
        Whether a candidate without differential privacy may pass.
    """

    max_epsilon: float = Field(default=10.0, gt=0)
    max_delta: float = Field(default=1e-3, gt=0, lt=1)
    max_membership_auc_lower: float = Field(default=0.55, ge=0, le=1)
    max_exact_copies_excess: float = Field(default=0.01, ge=0, le=1)
    min_attack_candidates: int = Field(default=30, ge=0)
    max_tstr_loss: float = Field(default=0.15, ge=0, le=1)
    min_tstr_auc: float = Field(default=0.5, ge=0, le=1)
    max_mean_tvd2: float = Field(default=0.35, ge=0, le=1)
    min_rows: int = Field(default=50, ge=0)
    allow_non_private: bool = False


@dataclass(frozen=True)
class Finding:
    """One rule applied: its limit, the value found (``None`` if missing), whether it passed, and why in words."""

    rule: str
    limit: float | str | bool | None
    value: float | str | None
    passed: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """The decision on one candidate: released only if every finding passed."""

    released: bool
    candidate_sha256: str
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> list[str]:
        """The words of every failed finding; empty if released."""
        return [finding.words for finding in self.findings if not finding.passed]

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values, with its reasons."""
        return {**plain(self), "reasons": self.reasons}


def judge(
    *,
    candidate_sha256: str,
    rows: int,
    spend: Mapping[str, Any] | PrivacySpend,
    utility: Mapping[str, Any],
    fidelity: Mapping[str, Any],
    privacy: Mapping[str, Any],
    limits: Limits,
) -> Verdict:
    """Judge one candidate.

    Parameters
    ----------
    candidate_sha256 : str
        Hash of the candidate's file; each report must carry the same.
    rows : int
        Rows of the candidate.
    spend : PrivacySpend or its JSON
    utility, fidelity, privacy : mapping
        ``to_json()`` of the reports.
    """
    cost = spend.to_json() if isinstance(spend, PrivacySpend) else spend
    reports = {"utility": utility, "fidelity": fidelity, "privacy": privacy}
    findings = (
        *(_same_candidate(name, report, candidate_sha256) for name, report in reports.items()),
        _at_least("rows", "number of synthetic rows", rows, limits.min_rows),
        *_spend(cost, limits),
        *_privacy(privacy, limits),
        *_usefulness(utility, fidelity, limits),
    )
    return Verdict(all(f.passed for f in findings), candidate_sha256, findings)


def _same_candidate(name: str, report: Mapping[str, Any], expected: str) -> Finding:
    found = report.get("candidate_sha256")
    same = bool(expected) and found == expected
    words = f"the {name} report is of this candidate" if same else f"{name}: report of another candidate"
    return Finding(f"{name}_candidate", expected, found, same, words)


def _spend(spend: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    epsilon = spend.get("epsilon")
    if epsilon is None:
        allowed = limits.allow_non_private
        words = "no differential privacy" + (
            ", which the limits of this use case allow; say so wherever it is shown"
            if allowed
            else ": the candidate has no privacy guarantee and the limits do not allow that"
        )
        yield Finding("differential_privacy", limits.allow_non_private, None, allowed, words)
        return
    yield _at_most("epsilon", "epsilon of the release", epsilon, limits.max_epsilon)
    yield _at_most("delta", "delta of the release", spend.get("delta"), limits.max_delta)
    yield _adds_up(spend)
    yield _exact_noise(spend)


def _adds_up(spend: Mapping[str, Any]) -> Finding:
    parts = [_number(mechanism.get("rho")) for mechanism in spend.get("mechanisms") or ()]
    total, declared = sum(p for p in parts if p is not None), _number(spend.get("rho"))
    known = bool(parts) and None not in parts and declared is not None and declared > 0
    passed = known and total <= (declared or 0.0) * (1 + ROUNDING_ERROR)
    words = "stay within" if passed else "are missing or exceed"
    words = f"the privacy costs of the mechanisms {words} the declared cost"
    return Finding("spend_adds_up", declared, total if known else None, passed, words)


def _exact_noise(spend: Mapping[str, Any]) -> Finding:
    passed = spend.get("secure") is True
    words = "noise was drawn exactly, from the operating system's entropy" if passed else (
        "noise was not drawn exactly, from the operating system's entropy: who knows how it was made can take it away"
    )  # fmt: skip
    return Finding("exact_noise", True, str(passed).lower(), passed, words)


def _privacy(report: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    members = (report.get("candidates") or {}).get("members")
    yield _at_least("attack_candidates", "number of patients attacked", members, limits.min_attack_candidates)
    name = "lower 95 % bound of the membership attack's AUC"
    yield _at_most("membership_auc_lower", name, report.get("auc_lower"), limits.max_membership_auc_lower)
    name = "share of exact copies of training patients beyond chance"
    yield _at_most("exact_copies_excess", name, report.get("exact_copies_excess"), limits.max_exact_copies_excess)


def _usefulness(utility: Mapping[str, Any], fidelity: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    name = "loss of AUC by training on synthetic instead of real data"
    yield _at_most("tstr_loss", name, utility.get("tstr_loss"), limits.max_tstr_loss, utility.get("reason"))
    name = "AUC of a model trained on synthetic data (TSTR)"
    yield _at_least("tstr_auc", name, utility.get("tstr_auc"), limits.min_tstr_auc, utility.get("reason"))
    name = "mean two-way total variation distance"
    yield _at_most("mean_tvd2", name, fidelity.get("mean_tvd2"), limits.max_mean_tvd2)


def _at_most(rule: str, name: str, value: Any, limit: float, why: str | None = None) -> Finding:
    number = _number(value)
    if number is None:
        return _unknown(rule, name, limit, why)
    words = f"{name} is {number:.4g}, {'within' if number <= limit else 'above'} the limit of {limit:g}"
    return Finding(rule, limit, number, number <= limit, words)


def _at_least(rule: str, name: str, value: Any, limit: float, why: str | None = None) -> Finding:
    number = _number(value)
    if number is None:
        return _unknown(rule, name, limit, why)
    words = f"{name} is {number:.4g}, {'at or above' if number >= limit else 'below'} the minimum of {limit:g}"
    return Finding(rule, limit, number, number >= limit, words)


def _unknown(rule: str, name: str, limit: float, why: str | None) -> Finding:
    return Finding(rule, limit, None, False, f"{name} is unknown" + (f": {why}" if why else "; it must be measured"))


def _number(value: Any) -> float | None:
    """The value as a finite float, or ``None``; a truth value is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None
