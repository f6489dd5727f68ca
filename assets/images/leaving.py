"""What of an evaluation of images leaves the data side: rounded figures and pictures of the synthetic images alone.

Belongs here: calling the cut. Does not belong here: the cut itself (``metrics.images.public``).
"""

from collections.abc import Mapping
from typing import Any

from assets.images.order_package import title_of
from assets.images.place import ImagePlace
from records.images.table import ImageTable


def leaving(
    place: ImagePlace, table: ImageTable, manifest: Mapping[str, Any], evaluation: Mapping[str, Any], verdict: Any
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """Summary and page."""
    from metrics.images.plots import pictures_plot
    from metrics.images.public import public_image_page, public_image_summary
    from metrics.reporting.public import rounded

    summary = public_image_summary(evaluation, manifest["spend"], verdict, title_of(place))
    summary["tstr_auc"] = rounded(evaluation["utility"].get("tstr_auc"))
    return summary, public_image_page(summary, place.cohort.source.citation, pictures_plot(table, place.schema))
