"""Phantoms: images simulated from published anatomy and intensities, for trying out what has no open data.

Belongs here: simulators that need no patient and no budget. Does not belong here: generators that learn (``models``).
A phantom is never passed off as real: names, pseudonyms, titles and files say *phantom*.
"""

from models.phantoms.chest import lung_ct_phantom
from models.phantoms.head import stroke_ct_phantom
from models.phantoms.pelvis import prostate_t2_phantom

PHANTOMS = {
    "lung_ct_phantom": lung_ct_phantom,
    "prostate_t2_phantom": prostate_t2_phantom,
    "stroke_ct_phantom": stroke_ct_phantom,
}

__all__ = ["PHANTOMS", "lung_ct_phantom", "prostate_t2_phantom", "stroke_ct_phantom"]
