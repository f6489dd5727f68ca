"""The gate: a pure verdict on one candidate from its reports and the release limits, with reasons in plain words.

Belongs here: the verdict. Does not belong here: limits (``gate_limits``), rules (``gate_rules``), measuring (``fidelity``,
``utility``, ``attacks``), storing or publishing (``assets``). A value that is missing or not a number fails, never passes; a
report of another candidate fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics.gate_findings import Finding, at_least
from metrics.gate_limits import Limits
from metrics.gate_rules import privacy_rules, same_candidate, spend_rules, usefulness_rules
from metrics.plain import plain
from records.privacy import PrivacySpend

__all__ = ["Finding", "Limits", "Verdict", "judge"]


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
        *(same_candidate(name, report, candidate_sha256) for name, report in reports.items()),
        at_least("rows", "number of synthetic rows", rows, limits.min_rows),
        *spend_rules(cost, limits),
        *privacy_rules(privacy, limits),
        *usefulness_rules(utility, fidelity, limits),
    )
    return Verdict(all(f.passed for f in findings), candidate_sha256, findings)
