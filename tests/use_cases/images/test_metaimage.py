"""MetaImage: a compressed, turned volume that SimpleITK 2.5 wrote."""

from pathlib import Path

import numpy as np
import pytest

from use_cases.images.metaimage import read_metaimage
from use_cases.images.report import SeriesError

FILE = Path(__file__).parent / "simpleitk_small.mha"


def test_values_spacing_and_orientation_are_those_of_simpleitk():
    # written from GetImageFromArray(written), spacing (0.5, 0.75, 3), direction (-1 0 0, 0 0 1, 0 -1 0):
    # x runs to the right, y to inferior, z to posterior
    written = np.arange(60).reshape(3, 4, 5)
    pixels, spacing = read_metaimage(FILE)
    assert (pixels == written.transpose(1, 0, 2)[::-1, :, ::-1]).all()
    assert spacing == (0.75, 3.0, 0.5)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "short.mha"
    path.write_bytes(FILE.read_bytes()[:-20])
    with pytest.raises(SeriesError, match="whole"):
        read_metaimage(path)
