"""The rules of the gate: which figures of which report meet which limit.

Belongs here: the list of rules. Does not belong here: comparing and wording (``gate_findings``) or limits (``gate_limits``).
A part of a report that says why it does not apply (``reasons``) is passed over, and the finding says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from metrics.gate_findings import Finding, at_least, at_most, not_applicable, number_of
from metrics.gate_limits import Limits

ROUNDING_ERROR = 1e-6


def same_candidate(name: str, report: Mapping[str, Any], expected: str) -> Finding:
    found = report.get("candidate_sha256")
    same = bool(expected) and found == expected
    words = f"the {name} report is of this candidate" if same else f"{name}: report of another candidate"
    return Finding(f"{name}_candidate", expected, found, same, words)


def spend_rules(spend: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
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
    yield at_most("epsilon", "epsilon of the release", epsilon, limits.max_epsilon)
    yield at_most("delta", "delta of the release", spend.get("delta"), limits.max_delta)
    yield _adds_up(spend)
    yield _exact_noise(spend)


def _adds_up(spend: Mapping[str, Any]) -> Finding:
    parts = [number_of(mechanism.get("rho")) for mechanism in spend.get("mechanisms") or ()]
    total, declared = sum(p for p in parts if p is not None), number_of(spend.get("rho"))
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


def privacy_rules(report: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    """Attacks on the candidate."""
    members = (report.get("candidates") or {}).get("members")
    yield at_least("attack_candidates", "number of patients attacked", members, limits.min_attack_candidates)
    name = "lower 95 % bound of the membership attack's AUC"
    yield at_most("membership_auc_lower", name, report.get("auc_lower"), limits.max_membership_auc_lower)
    worst, large = (_at(report, "membership", key) or {} for key in ("worst", "worst_of_all_candidates"))
    name = f"lower bound of the strongest membership attack's AUC ({worst.get('attack')}, {worst.get('group')})"
    yield at_most("worst_attack_lower", name, worst.get("auc_lower"), limits.max_worst_attack_auc_lower)
    name = "upper bound of the strongest membership attack's AUC over all patients"
    yield at_most("worst_attack_upper", name, large.get("auc_upper"), limits.max_worst_attack_auc_upper)
    name = "share of exact copies of training patients beyond chance"
    yield at_most("exact_copies_excess", name, report.get("exact_copies_excess"), limits.max_exact_copies_excess)
    name = "share of near copies of training patients beyond chance"
    yield at_most("near_copies_excess", name, report.get("near_copies_excess"), limits.max_near_copies_excess)
    for part, path, name, limit in (
        ("singling_out", ("worst", "risk_lower"), "risk of being singled out", limits.max_singling_out_risk),
        ("linkability", ("risk_lower",), "risk of being linked", limits.max_linkability_risk),
        ("inference", ("worst", "risk_lower"), "risk that a secret is inferred", limits.max_inference_risk),
        (
            "reconstruction",
            ("worst", "advantage_lower"),
            "gain of linear reconstruction",
            limits.max_reconstruction_advantage,
        ),
    ):
        yield _applicable(part, report, _at(report, part, *path), f"lower bound of the {name}", limit)


def usefulness_rules(utility: Mapping[str, Any], fidelity: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    """Prediction, distances and schema constraints."""
    why = utility.get("reason")
    name = "loss of AUC by training on synthetic instead of real data"
    yield at_most("tstr_loss", name, utility.get("tstr_loss"), limits.max_tstr_loss, why)
    name = "AUC of a model trained on synthetic data (TSTR)"
    yield at_least("tstr_auc", name, utility.get("tstr_auc"), limits.min_tstr_auc, why)
    name = "lower 95 % bound of the TSTR AUC (0.5 is guessing)"
    yield at_least("tstr_auc_lower", name, utility.get("tstr_auc_lower"), limits.min_tstr_auc_lower, why)
    name = "mean two-way total variation distance"
    yield at_most("mean_tvd2", name, fidelity.get("mean_tvd2"), limits.max_mean_tvd2)
    loss, name = _at(utility, "subgroups", "worst", "lower"), "lower bound of the loss of AUC in the worst group"
    yield _applicable("subgroups", utility, loss, name, limits.max_subgroup_loss, rule="subgroup_loss")
    name = "share of rows that break a constraint of the codebook"
    yield at_most("broken_rows", name, fidelity.get("broken_rows"), limits.max_broken_rows)


def _applicable(
    part: str, report: Mapping[str, Any], value: Any, name: str, limit: float, rule: str | None = None
) -> Finding:
    reason = (report.get("reasons") or {}).get(part)
    if value is None and isinstance(reason, str) and reason:
        return not_applicable(rule or part, limit, name, reason)
    return at_most(rule or part, name, value, limit)


def _at(report: Mapping[str, Any], *path: str) -> Any:
    value: Any = report
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
