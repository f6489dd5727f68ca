"""PNG pictures as grey images of unknown scale.

Belongs here: one file. Does not belong here: folders of them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from use_cases.images.report import SeriesError

_HIGHEST = {"1": 1, "L": 255, "I;16": 65_535, "I;16B": 65_535, "I": 65_535}


def read_picture(path: Path) -> NDArray[np.float32]:
    """Grey from 0 to 1, shape [1, y, x].

    Raises
    ------
    SeriesError
        The file is damaged or in colour.
    """
    values, mode = _opened(path)
    return (values.astype(np.float32) / np.float32(_HIGHEST[mode]))[None]


def read_drawn_mask(path: Path) -> NDArray[np.float32]:
    """Stored values of a grey picture, shape [1, y, x]: the classes of a mask.

    Raises
    ------
    SeriesError
        The file is damaged or in colour.
    """
    return _opened(path)[0].astype(np.float32)[None]


def _opened(path: Path) -> tuple[NDArray[np.generic], str]:
    try:
        with Image.open(path) as image:
            mode = image.mode
            if mode not in _HIGHEST:
                raise SeriesError("be grey", "a colour image", "convert it, or leave it out")
            return np.asarray(image), mode
    except (OSError, EOFError, SyntaxError, UnidentifiedImageError):
        raise SeriesError("have whole files", "a damaged picture", "copy it again") from None
