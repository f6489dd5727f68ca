"""Asset checks of synthetic images: what the Dagster UI shows beside their report.

Belongs here: single figures against the limits. Does not belong here: the verdict, which ``release`` enforces.
"""

from typing import Any

import dagster as dg

from assets.images.evaluation import at
from assets.images.place import ImagePlace

# Figure of the report, and the limit that it must not exceed.
CHECKED = (
    (("utility", "tstr_loss"), "max_tstr_loss"),
    (("privacy", "membership", "auc_upper"), "max_membership_auc_upper"),
    (("privacy", "copies", "excess"), "max_copies_excess"),
    (("fidelity", "features", "synthetic", "frechet_share"), "max_frechet_share"),
    (("fidelity", "radiomics", "synthetic", "frechet_share"), "max_radiomics_share"),
)


def image_checks(place: ImagePlace) -> list[dg.AssetChecksDefinition]:
    """One check per figure; a missing figure fails."""
    return [_check(place, *entry) for entry in CHECKED]


def _check(place: ImagePlace, path: tuple[str, ...], limit: str) -> dg.AssetChecksDefinition:
    figure = "_".join(path)

    @dg.asset_check(
        asset=dg.AssetKey([*place.prefix, "image_report"]), name=f"{figure}_within_limit",
        description=f"{figure} must be at most the limit {limit}.",
    )  # fmt: skip
    def within_limit(image_report: dict[str, Any]) -> dg.AssetCheckResult:
        from metrics.images.gate import ImageLimits

        highest = getattr(ImageLimits.model_validate(dict(place.use_case.image_limits)), limit)
        value = at(image_report, path)
        passed = value is not None and value <= highest
        return dg.AssetCheckResult(passed=passed, metadata={"value": str(value), "limit": highest})

    return within_limit
