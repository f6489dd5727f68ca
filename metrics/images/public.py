"""What of an evaluation of images may leave the house with them: the verdict and the main figures, rounded.

Belongs here: that cut, and its page. Does not belong here: the whole report (``report``), whose plots of real patients are for
internal use. No real image is on the page, phantoms included: the pictures are of the synthetic images alone.
"""

from collections.abc import Mapping
from typing import Any

from metrics.gate import Verdict
from metrics.reporting.headline import Headline, at
from metrics.reporting.public import FORMAT, NOTICE, public_page, rounded

HEADLINES = (
    Headline("Prediction trained on synthetic (TSTR, AUC)", "utility.tstr_auc", "higher", "utility.trtr_auc", "real"),
    Headline("Loss of AUC by synthetic images", "utility.tstr_loss", "lower"),
    Headline(
        "Features: Frechet distance (0 other real, 1 loose pixels)",
        "fidelity.features.synthetic.frechet_share",
        "lower",
    ),
    Headline("Radiomics: the same", "fidelity.radiomics.synthetic.frechet_share", "lower"),
    Headline("Strongest membership attack (AUC)", "privacy.membership.auc", "lower"),
    Headline("Its upper bound", "privacy.membership.auc_upper", "lower"),
    Headline("Copies of training images beyond chance", "privacy.copies.excess", "lower"),
)


def public_image_summary(
    evaluation: Mapping[str, Any], spend: Mapping[str, Any], verdict: Verdict, title: str
) -> dict[str, Any]:
    """Verdict, headline figures rounded to two decimals, and the privacy spend.

    Parameters
    ----------
    evaluation : mapping
        What ``evaluate_images`` returned.
    spend : mapping
        JSON of the privacy spend.
    """
    cohort = evaluation["cohort"]
    found = [(h, rounded(at(evaluation, h.path)), rounded(at(evaluation, h.reference))) for h in HEADLINES]
    real = "phantoms" if cohort["phantom"] else "real"
    return {
        "format": FORMAT, "title": title, "candidate_sha256": evaluation["candidate_sha256"],
        "notice": NOTICE.replace("The rows themselves are", "The images themselves are"), "released": verdict.released,
        "checks": len(verdict.findings), "spend": dict(spend), "rows": evaluation["counts"]["synthetic"]["images"],
        "things": "images", "shown": "Some of the synthetic images", "phantom": cohort["notice"],
        "outcome": evaluation["utility"].get("outcome_label"),
        "figures": [
            {"label": h.label, "better": h.better, "value": value, "reference": reference, "of": real}
            for h, value, reference in found if value is not None
        ],
    }  # fmt: skip


def public_image_page(summary: Mapping[str, Any], citation: str, pictures: bytes) -> str:
    """The summary as one HTML page without network; ``pictures`` is a PNG of synthetic images alone."""
    return public_page(summary, citation, pictures)
