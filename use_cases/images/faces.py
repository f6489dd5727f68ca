"""The gate for heads: a face in a volume identifies a person as a photograph does.

Belongs here: whether a series may be loaded. Does not belong here: removing faces; that is the hospital's act before.

References
----------
Schwarz et al. (2019), Identification of anonymous MRI research participants with face-recognition software, NEJM
381:1684. DICOM PS3.15 E.3.2 (Clean Recognizable Visual Features) and PS3.3 C.12 (Recognizable Visual Features).
"""

from records.images import BodyPart
from use_cases.images.codebook import ImageCohort
from use_cases.images.report import SeriesError
from use_cases.images.volume import Series


def shows_face(series: Series, cohort: ImageCohort) -> bool:
    """Whether the series shows a head and neither the codebook nor the file says that its face was removed."""
    head = series.head or cohort.image.body_part is BodyPart.HEAD
    return head and not (series.defaced or cohort.defacing)


def refuse_face(series: Series, cohort: ImageCohort, *, local_use: bool) -> None:
    """Refuse a head whose face nobody says was removed, unless it was declared for local use.

    Raises
    ------
    SeriesError
    """
    if shows_face(series, cohort) and not local_use:
        raise SeriesError(
            "say that its face was removed",
            "a head without a statement of defacing",
            "deface it and say how under defacing in the codebook, or declare local use",
        )
