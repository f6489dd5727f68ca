"""Asset checks: what the Dagster UI shows beside each report.

Belongs here: single figures against the use case's limits. Does not belong here: the verdict; the checks do not block, so
that the page of a refused candidate is still drawn, and ``release`` enforces the gate by itself.
"""

from typing import Any

import dagster as dg

from use_cases.registry import UseCase

# Report asset, figure in it, and the limit it must not exceed.
CHECKED = (
    ("downstream_classifier", "tstr_loss", "max_tstr_loss"),
    ("fidelity_utility_report", "mean_tvd2", "max_mean_tvd2"),
    ("privacy_report", "auc_lower", "max_membership_auc_lower"),
    ("privacy_report", "membership.worst.auc_lower", "max_worst_attack_auc_lower"),
    ("privacy_report", "membership.worst_of_all_candidates.auc_upper", "max_worst_attack_auc_upper"),
    ("privacy_report", "exact_copies_excess", "max_exact_copies_excess"),
)


def report_checks(use_case: UseCase) -> list[dg.AssetChecksDefinition]:
    """One check per figure; a missing figure fails."""
    return [_check(use_case, *entry) for entry in CHECKED]


def _check(use_case: UseCase, asset: str, figure: str, limit: str) -> dg.AssetChecksDefinition:
    highest = use_case.limits[limit]

    @dg.asset_check(
        asset=dg.AssetKey([use_case.key, asset]),
        name=f"{figure.replace('.', '_')}_within_limit",
        description=f"{figure} must be at most {highest:g} ({limit}).",
    )
    def within_limit(report: dict[str, Any]) -> dg.AssetCheckResult:
        from metrics.reporting.headline import at

        value = at(report, figure)
        passed = value is not None and value <= highest
        return dg.AssetCheckResult(passed=passed, metadata={"value": str(value), "limit": highest})

    return within_limit
