"""The gate for a table that was learnt without access: nobody holds the patients, so nothing can be measured on them.

Belongs here: the verdict from what is known without patients: the privacy spend, the noise against the counts, the codebook.
Does not belong here: the gate for tables from pooled patients (``gate``), whose attacks and predictions need them. Each part
that was not measured is named in a finding, so that nobody takes silence for a result.
"""

from collections.abc import Mapping
from typing import Any

from metrics.gate import Verdict
from metrics.gate_findings import Finding, at_least, at_most
from metrics.gate_limits import Limits
from metrics.gate_rules import spend_rules

UNMEASURED = {
    "attacks": "attacks on patients: not measured, since nobody holds the patients; the guarantee is differential privacy",
    "prediction": "prediction of held-out patients: not measured, since nobody holds the patients",
}


def judge_without_access(
    *, candidate_sha256: str, rows: int, spend: Mapping[str, Any], expected_error: float, broken_rows: float,
    limits: Limits,
) -> Verdict:  # fmt: skip
    """Judge one candidate.

    Parameters
    ----------
    spend : mapping
        JSON of its ``PrivacySpend``.
    expected_error : float
        Mean total variation distance that noise alone puts between the measured tables and the truth, 0 to 1.
    broken_rows : float
        Share of rows that break a constraint of the codebook.
    """
    name = "mean distance that noise alone puts between the measured tables and the patients"
    findings = (
        at_least("rows", "number of synthetic rows", rows, limits.min_rows),
        *spend_rules(spend, limits),
        at_most("expected_error", name, expected_error, limits.max_mean_tvd2, "the model does not tell"),
        at_most(
            "broken_rows", "share of rows that break a constraint of the codebook", broken_rows, limits.max_broken_rows
        ),
        *(Finding(rule, None, None, True, words) for rule, words in UNMEASURED.items()),
    )
    return Verdict(all(f.passed for f in findings), candidate_sha256, findings)
