"""What of an evaluation of images leaves the data side: rounded figures and pictures of the synthetic images alone.

Belongs here: calling the cut, and keeping it beside a release. Does not belong here: the cut itself (``metrics.images.public``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.images.order_package import title_of
from assets.images.place import ImagePlace
from records.errors import StorageError
from records.files import write_atomically
from records.images.table import ImageTable

SUMMARY, PAGE = "evaluation.json", "report.html"


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


def put_beside(folder: Path, summary: Mapping[str, Any], page: str) -> None:
    """Keep summary and page with the release that they judged: later runs, also refused ones, have others."""
    write_atomically(folder / PAGE, page.encode())
    write_atomically(folder / SUMMARY, json.dumps(summary, indent=1).encode())


def beside(folder: Path) -> tuple[dict[str, Any], str]:
    """Summary and page of a release.

    Raises
    ------
    StorageError
        It has none.
    """
    try:
        return json.loads((folder / SUMMARY).read_bytes()), (folder / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StorageError(
            "released images must have their report beside them, got none; ask the same question again, which costs nothing"
        ) from error
