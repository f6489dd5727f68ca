"""The gate for synthetic images: a pure verdict from an evaluation, the privacy spend and limits, with reasons.

Belongs here: which figures meet which limit. Does not belong here: measuring (``evaluation``), comparing and wording
(``metrics.gate_findings``). A value that is missing or not a number fails, never passes; too few patients are *not
measurable* and fail. Utility, fidelity, membership, copies and spend must all pass: distances and utility rank methods
otherwise, so that neither is enough. A phantom has no patients to protect, yet passes the same rules, since it stands in
for them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from metrics.gate import Verdict
from metrics.gate_findings import Finding, at_least, at_most, number_of
from metrics.gate_limits import Limits
from metrics.gate_rules import same_candidate, spend_rules
from records.privacy import PrivacySpend
from records.schema import Frozen

__all__ = ["ImageLimits", "Verdict", "judge_images"]


class ImageLimits(Frozen):
    """What synthetic images must keep to be released.

    Parameters
    ----------
    max_epsilon, max_delta : float
        Differential privacy of the release.
    max_membership_auc_upper : float
        No membership attack's upper 95 % bound may exceed it (0.5 is guessing).
    max_copies_excess : float
        Share of images that copy a training image, beyond the share of holdout images that look so.
    max_tstr_loss, min_tstr_auc_lower : float
        Loss of AUC against training on real images, and least lower 95 % bound of the AUC.
    max_frechet_share, max_radiomics_share : float
        Frechet distance on features and on radiomics, between real holdout (0) and independent pixels (1).
    max_similarity_excess : float
        Mean MS-SSIM of pairs of synthetic images less that of real holdout images: a collapse of variety.
    min_images : int
        Fewest synthetic images.
    allow_non_private : bool
        Whether images without differential privacy may pass.
    """

    max_epsilon: float = Field(default=10.0, gt=0)
    max_delta: float = Field(default=1e-3, gt=0, lt=1)
    max_membership_auc_upper: float = Field(default=0.55, ge=0, le=1)
    max_copies_excess: float = Field(default=0.0, ge=0, le=1)
    max_tstr_loss: float = Field(default=0.15, ge=0, le=1)
    min_tstr_auc_lower: float = Field(default=0.5, ge=0, le=1)
    max_frechet_share: float = Field(default=0.5, ge=0)
    max_radiomics_share: float = Field(default=0.5, ge=0)
    max_similarity_excess: float = Field(default=0.2, ge=0, le=1)
    min_images: int = Field(default=50, ge=0)
    allow_non_private: bool = False


def judge_images(
    evaluation: Mapping[str, Any], spend: Mapping[str, Any] | PrivacySpend, *, candidate_sha256: str,
    limits: ImageLimits | None = None,
) -> Verdict:  # fmt: skip
    """Judge one candidate.

    Parameters
    ----------
    evaluation : mapping
        What ``evaluate_images`` returned.
    spend : PrivacySpend or its JSON
    candidate_sha256 : str
        Hash of the candidate's file; the evaluation must carry the same.
    """
    kept = limits or ImageLimits()
    cost = spend.to_json() if isinstance(spend, PrivacySpend) else spend
    release = Limits(max_epsilon=kept.max_epsilon, max_delta=kept.max_delta, allow_non_private=kept.allow_non_private)
    images = _at(evaluation, "counts", "synthetic", "images")
    findings = (
        same_candidate("evaluation", evaluation, candidate_sha256),
        _may_leave(evaluation),
        at_least("images", "number of synthetic images", images, kept.min_images),
        *spend_rules(cost, release),
        *_privacy(evaluation, kept),
        *_utility(evaluation, kept),
        *_fidelity(evaluation, kept),
    )
    return Verdict(all(f.passed for f in findings), candidate_sha256, findings)


def _may_leave(evaluation: Mapping[str, Any]) -> Finding:
    stays = _at(evaluation, "cohort", "local_only") is not False
    words = "made from images that were declared for local use only" if stays else "no image was for local use only"
    return Finding("local_only", False, str(stays).lower(), not stays, words)


def _privacy(evaluation: Mapping[str, Any], limits: ImageLimits) -> Iterator[Finding]:
    attack, limit = _at(evaluation, "privacy", "membership") or {}, limits.max_membership_auc_upper
    name = "highest upper 95 % bound of the membership attacks' AUC"
    found = at_most("membership_upper", name, attack.get("auc_upper"), limit, _unmeasured(attack))
    yield found if found.passed or not _too_few(attack, limit) else Finding(
        found.rule, found.limit, found.value, False,
        f"{found.words}; not measurable: {attack.get('members')} members and {attack.get('controls')} controls are too "
        f"few to exclude {limit:g} even without a leak",
    )  # fmt: skip
    copies = _at(evaluation, "privacy", "copies") or {}
    name = "share of copies of training images beyond chance"
    yield at_most("copies_excess", name, copies.get("excess"), limits.max_copies_excess, _unmeasured(copies))


def _too_few(attack: Mapping[str, Any], limit: float) -> bool:
    """Whether even an AUC of 0.5 would have had an upper bound above the limit."""
    auc, upper = attack.get("auc"), attack.get("auc_upper")
    entries = attack.get("attacks") or ()
    halves = [entry["upper"] - entry["auc"] for entry in entries if entry.get("upper") is not None]
    return None not in (auc, upper) and bool(halves) and 0.5 + min(halves) > limit


def _utility(evaluation: Mapping[str, Any], limits: ImageLimits) -> Iterator[Finding]:
    utility = evaluation.get("utility") or {}
    why = _unmeasured(utility)
    name = "loss of AUC by training on synthetic instead of real images"
    yield at_most("tstr_loss", name, utility.get("tstr_loss"), limits.max_tstr_loss, why)
    name = "lower 95 % bound of the AUC of a classifier trained on synthetic images (0.5 is guessing)"
    yield at_least("tstr_auc_lower", name, utility.get("tstr_auc_lower"), limits.min_tstr_auc_lower, why)


def _fidelity(evaluation: Mapping[str, Any], limits: ImageLimits) -> Iterator[Finding]:
    fidelity = evaluation.get("fidelity") or {}
    why = _unmeasured(fidelity)
    scale = "between real images (0) and independent pixels (1)"
    for part, name, limit in (
        ("features", "Frechet distance", limits.max_frechet_share),
        ("radiomics", "Frechet radiomics distance", limits.max_radiomics_share),
    ):
        value = _at(fidelity, part, "synthetic", "frechet_share")
        yield at_most(f"{part}_frechet_share", f"{name} {scale}", value, limit, why)
    made, real = (number_of(_at(fidelity, "similarity", side, "value")) for side in ("synthetic", "holdout"))
    excess = None if made is None or real is None else made - real
    name = "likeness of synthetic images to each other (MS-SSIM) beyond that of real ones"
    yield at_most("similarity_excess", name, excess, limits.max_similarity_excess, why)


def _unmeasured(part: Mapping[str, Any]) -> str | None:
    reason = part.get("reason")
    return f"not measurable, {reason}" if reason else None


def _at(document: Mapping[str, Any], *path: str) -> Any:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
