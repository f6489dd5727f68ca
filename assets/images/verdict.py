"""The gate's verdict on synthetic images, with the limits of their use case.

Belongs here: gathering what the gate needs. Does not belong here: its rules (``metrics.images.gate``).
"""

from typing import Any

from assets.images.place import ImagePlace
from records.images.storage import ImageFile


def verdict_on(place: ImagePlace, manifest: dict[str, Any], candidate: ImageFile, evaluation: dict[str, Any]) -> Any:
    """The verdict, bound to the candidate's sha256."""
    from metrics.images.gate import ImageLimits, judge_images

    limits = ImageLimits.model_validate(dict(place.use_case.image_limits))
    return judge_images(evaluation, manifest["spend"], candidate_sha256=candidate.sha256, limits=limits)
