"""The readings of LIDC-IDRI: contours and malignancy of each reader's nodules.

Belongs here: the XML and drawing a contour. Does not belong here: agreement between readers (``lidc``).

References
----------
LidcReadMessage of the National Cancer Institute (namespace http://www.nih.gov); Armato et al. (2011).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from use_cases.images.report import SeriesError

Contour = tuple[bool, tuple[tuple[int, int], ...]]
_NAMES = {"n": "http://www.nih.gov"}


@dataclass(frozen=True)
class Reading:
    """One reader's nodule of 3 mm or more.

    Parameters
    ----------
    malignancy : int
        1 (highly unlikely) to 5 (highly suspicious).
    contours : mapping of str to sequence of (bool, points)
        By SOP Instance UID: whether the contour adds or cuts out, and its (column, row) points.
    """

    malignancy: int
    contours: Mapping[str, Sequence[Contour]]

    def mask(self, uid: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """0 and 1 of shape [h, w]: inside of the outline, which itself lies outside of the nodule."""
        image = Image.new("L", (shape[1], shape[0]))
        draw = ImageDraw.Draw(image)
        for adds, points in sorted(self.contours[uid], reverse=True):
            draw.polygon(list(points), fill=int(adds), outline=0)
        return np.asarray(image, np.uint8)


def readings_of(path: Path) -> tuple[list[Reading], int]:
    """Nodules with an outline and a rating, and the number of readers.

    Raises
    ------
    SeriesError
        The file is damaged or of another form.
    """
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise SeriesError("have readings without entities", "an XML file with some", "take the published file")
        root = ElementTree.fromstring(data)
        sessions = root.findall("n:readingSession", _NAMES)
        nodules = [nodule for session in sessions for nodule in session.findall("n:unblindedReadNodule", _NAMES)]
        found = [_reading(nodule) for nodule in nodules if nodule.find("n:characteristics", _NAMES) is not None]
    except (OSError, ElementTree.ParseError, ValueError, TypeError, AttributeError) as error:
        if isinstance(error, SeriesError):
            raise
        raise SeriesError("have whole readings", "a damaged XML file", "take the published file") from None
    return [reading for reading in found if reading is not None], len(sessions)


def _reading(nodule: ElementTree.Element) -> Reading | None:
    """The reading; None for a small nodule that only has a centre and no rating."""
    malignancy = nodule.findtext("n:characteristics/n:malignancy", None, _NAMES)
    contours: dict[str, list[Contour]] = defaultdict(list)
    for roi in nodule.findall("n:roi", _NAMES):
        points = tuple(
            (int(edge.findtext("n:xCoord", "", _NAMES)), int(edge.findtext("n:yCoord", "", _NAMES)))
            for edge in roi.findall("n:edgeMap", _NAMES)
        )
        if len(points) > 2:
            adds = roi.findtext("n:inclusion", "TRUE", _NAMES).upper() == "TRUE"
            contours[roi.findtext("n:imageSOP_UID", "", _NAMES)].append((adds, points))
    return Reading(int(malignancy), contours) if malignancy and contours else None
