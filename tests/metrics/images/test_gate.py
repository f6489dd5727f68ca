"""The gate for images refuses whatever is over a limit, missing, not a number, or of another candidate."""

import json
from copy import deepcopy
from typing import Any

import pytest

from metrics.images.gate import ImageLimits, judge_images
from records.privacy import Mechanism, PrivacySpend

HASH = "a" * 64
SPEND = PrivacySpend((Mechanism("Gaussian", "moments", 0.5, 1, 3.0),), rho=0.5, epsilon=5.0, delta=1e-4)
GOOD: dict[str, Any] = {
    "candidate_sha256": HASH,
    "cohort": {"local_only": False, "phantom": False},
    "counts": {"synthetic": {"patients": 500, "images": 500}},
    "fidelity": {
        "reason": None,
        "features": {"synthetic": {"frechet_share": 0.1}}, "radiomics": {"synthetic": {"frechet_share": 0.2}},
        "similarity": {"synthetic": {"value": 0.4}, "holdout": {"value": 0.35}},
    },
    "utility": {"reason": None, "tstr_loss": 0.05, "tstr_auc_lower": 0.8},
    "privacy": {
        "copies": {"reason": None, "excess": 0.0},
        "membership": {
            "reason": None, "auc": 0.51, "auc_upper": 0.54, "members": 900, "controls": 900,
            "attacks": [{"auc": 0.51, "lower": 0.48, "upper": 0.54}],
        },
    },
}  # fmt: skip


def judged(path: str = "", value: Any = None, spend: PrivacySpend = SPEND, limits: ImageLimits | None = None):
    evaluation = deepcopy(GOOD)
    if path:
        at = evaluation
        *parents, key = path.split(".")
        for parent in parents:
            at = at[parent]
        at[key] = value
    return judge_images(evaluation, spend, candidate_sha256=HASH, limits=limits)


def test_good_images_are_released() -> None:
    verdict = judged()
    assert verdict.released, verdict.reasons
    json.dumps(verdict.to_json(), allow_nan=False)


MEASURED = [
    ("fidelity.features.synthetic.frechet_share", 0.9), ("fidelity.radiomics.synthetic.frechet_share", 0.9),
    ("fidelity.similarity.synthetic.value", 0.9), ("utility.tstr_loss", 0.3), ("utility.tstr_auc_lower", 0.45),
    ("privacy.membership.auc_upper", 0.56), ("privacy.copies.excess", 0.002), ("counts.synthetic.images", 10),
]  # fmt: skip


@pytest.mark.parametrize(("path", "bad"), MEASURED)
def test_each_part_alone_refuses(path: str, bad: float) -> None:
    verdict = judged(path, bad)
    assert not verdict.released
    assert len(verdict.reasons) == 1


@pytest.mark.parametrize("path", [path for path, _ in MEASURED])
@pytest.mark.parametrize("nothing", [None, float("nan"), True, "0"])
def test_missing_values_fail(path: str, nothing: Any) -> None:
    verdict = judged(path, nothing)
    assert not verdict.released
    assert "unknown" in verdict.reasons[0]


def test_images_nearer_than_any_other_are_refused_where_they_copy_or_are_useless() -> None:
    """A perfect Frechet distance releases nothing."""
    near = deepcopy(GOOD)
    near["fidelity"]["features"]["synthetic"]["frechet_share"] = -0.02
    near["privacy"]["copies"]["excess"] = 1.0
    assert not judge_images(near, SPEND, candidate_sha256=HASH).released
    near["privacy"]["copies"]["excess"], near["utility"]["tstr_auc_lower"] = 0.0, 0.4
    assert not judge_images(near, SPEND, candidate_sha256=HASH).released


def test_few_patients_are_not_measurable_and_refused() -> None:
    verdict = judged("privacy.membership", {"reason": "12 patients are too few", "auc_upper": None})
    assert "not measurable, 12 patients" in verdict.reasons[0]
    wide = {"auc": 0.5, "auc_upper": 0.62, "members": 60, "controls": 40, "attacks": [{"auc": 0.5, "upper": 0.62}]}
    assert "60 members and 40 controls are too few" in judged("privacy.membership", wide).reasons[0]
    leak = {"auc": 0.8, "auc_upper": 0.82, "members": 900, "controls": 900, "attacks": [{"auc": 0.8, "upper": 0.82}]}
    assert "too few" not in judged("privacy.membership", leak).reasons[0]


def test_other_candidates_and_local_images_are_refused() -> None:
    assert not judged("candidate_sha256", "b" * 64).released
    assert "local use" in judged("cohort.local_only", True).reasons[0]
    assert not judged("cohort", {}).released


def test_images_without_privacy_need_permission() -> None:
    assert "no privacy guarantee" in judged(spend=PrivacySpend()).reasons[0]
    assert judged(spend=PrivacySpend(), limits=ImageLimits(allow_non_private=True)).released


def test_an_empty_evaluation_fails_everything() -> None:
    verdict = judge_images({}, {}, candidate_sha256=HASH)
    assert len(verdict.reasons) == len(verdict.findings)
