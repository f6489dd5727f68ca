"""What of an evaluation may leave the house with the data: the verdict and the main figures, rounded.

Belongs here: that cut, as JSON and as one HTML page. Does not belong here: the whole evaluation (``document``, ``page``), whose
curves and tables of real patients are for internal use.

The figures are measured on real held-out patients and are not differentially private. Rounding to two decimals keeps what a
figure can tell about one patient below what it tells anyway by its own standard error (about .05 at 150 patients).
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from metrics.reporting.headline import HEADLINES, at
from metrics.reporting.page import environment

FORMAT, DECIMALS = "phaseiv-release/1", 2
NOTICE = (
    "Figures were measured on real held-out patients and rounded to two decimals; they are not differentially private. "
    "The rows themselves are, as stated."
)


def public_summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Verdict, headline figures rounded to two decimals, and the privacy spend.

    Parameters
    ----------
    document : mapping
        An evaluation's JSON (``metrics.reporting.document``).
    """
    verdict = document["verdict"]
    shown = [(h, rounded(at(document, h.path)), rounded(at(document, h.reference))) for h in HEADLINES]
    return {
        "format": FORMAT, "title": document["title"], "candidate_sha256": document["candidate_sha256"], "notice": NOTICE,
        "released": verdict["released"], "checks": len(verdict["findings"]), "spend": document["spend"],
        "rows": document["counts"]["synthetic"], "outcome": document["utility"].get("outcome_label"),
        "figures": [
            {"label": h.label, "better": h.better, "value": value, "reference": reference, "of": h.reference_label}
            for h, value, reference in shown if value is not None
        ],
    }  # fmt: skip


def public_page(summary: Mapping[str, Any], citation: str, survival: bytes | None) -> str:
    """The summary as one HTML page without network; ``survival`` is a PNG of the synthetic patients alone."""
    picture = b64encode(survival).decode() if survival else None
    return environment().get_template("public.html.j2").render(s=summary, citation=citation, picture=picture)


def rounded(value: Any) -> float | None:
    """A number to two decimals; nothing for anything else."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return round(float(value), DECIMALS) if known else None
