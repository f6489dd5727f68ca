"""All figures of a report, by name.

Belongs here: the list of figures and the one call that draws those of a candidate. Does not belong here: drawing
(the other modules). Figures are drawn from report JSON, never from rows.
"""

from collections.abc import Mapping
from typing import Any

from metrics.plots.association import association_plot
from metrics.plots.attacks import attacks_plot
from metrics.plots.decision_curve import decision_curve_plot
from metrics.plots.distribution import kaplan_meier_plot, marginals_plot, tvd_plot
from metrics.plots.frontier import frontier_plot
from metrics.plots.prediction import calibration_plot, roc_plot
from metrics.plots.privacy import membership_plot
from metrics.plots.references import references_plot
from metrics.plots.subgroups import subgroups_plot

__all__ = [
    "calibration_plot",
    "candidate_plots",
    "frontier_plot",
    "kaplan_meier_plot",
    "marginals_plot",
    "membership_plot",
    "roc_plot",
    "tvd_plot",
]


def candidate_plots(
    utility: Mapping[str, Any], fidelity: Mapping[str, Any], privacy: Mapping[str, Any]
) -> dict[str, bytes]:
    """Every figure of one candidate, from the reports' JSON.

    Returns
    -------
    dict of str to bytes
        PNG by name, as in ``metrics.reporting.words.FIGURES``; a part that could not be measured has no figure.
    """
    return fidelity_plots(fidelity) | utility_plots(utility) | privacy_plots(privacy)


def fidelity_plots(fidelity: Mapping[str, Any]) -> dict[str, bytes]:
    """Distributions, distances beside their references, associations, survival."""
    drawings = {"marginals": marginals_plot(fidelity), "tvd": tvd_plot(fidelity)}
    if fidelity.get("triples"):
        drawings["references"] = references_plot(fidelity)
    if fidelity.get("association"):
        drawings["association"] = association_plot(fidelity)
    if fidelity.get("survival") is not None:
        drawings["kaplan_meier"] = kaplan_meier_plot(fidelity)
    return drawings


def utility_plots(utility: Mapping[str, Any]) -> dict[str, bytes]:
    """Discrimination, calibration, decisions, subgroups."""
    drawings = {"roc": roc_plot(utility), "calibration": calibration_plot(utility)}
    if (utility.get("decision_curve") or {}).get("mean_loss"):
        drawings["decision_curve"] = decision_curve_plot(utility["decision_curve"])
    if (utility.get("subgroups") or {}).get("groups"):
        drawings["subgroups"] = subgroups_plot(utility["subgroups"])
    return drawings


def privacy_plots(privacy: Mapping[str, Any]) -> dict[str, bytes]:
    """Membership attacks."""
    drawings = {"membership": membership_plot(privacy)}
    if (privacy.get("membership") or {}).get("worst"):
        drawings["attacks"] = attacks_plot(privacy["membership"])
    return drawings
