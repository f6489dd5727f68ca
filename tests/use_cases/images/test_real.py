"""Real images, where a setting points to them: a head with its face, refused unless declared for local use."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

import use_cases
from records.errors import TableError
from use_cases.images import ImageCohort, load_images

IMAGES = Path(os.environ.get("PHASEIV_TEST_IMAGES", "/nowhere"))
HEAD = IMAGES / "head_ct_108x256x256_int16.raw.gz"


@pytest.mark.skipif(not HEAD.is_file(), reason="PHASEIV_TEST_IMAGES holds no head CT")
def test_a_real_head_is_refused_and_marked_for_local_use(tmp_path):
    entry = yaml.safe_load((Path(use_cases.__file__).parent / "stroke/isles_2022.yaml").read_text())
    entry["image"] |= {"name": "heads", "modality": "CT", "unit": "HU", "window": [0, 80], "mask": {}}
    cohort = ImageCohort(**(entry | {"layout": "listed", "defacing": None}), folder=tmp_path)
    values = np.frombuffer(gzip.decompress(HEAD.read_bytes()), np.int16).reshape(108, 256, 256)
    tags = "NDims = 3\nDimSize = 256 256 108\nElementSpacing = 0.957 0.957 1.5\nElementType = MET_SHORT\n"
    for name in ("a", "b"):
        (tmp_path / f"{name}.mha").write_bytes(f"{tags}ElementDataFile = LOCAL\n".encode() + values.tobytes())
    (tmp_path / "images.csv").write_text("file,patient,lesion\na.mha,a,absent\nb.mha,b,present\n")
    with pytest.raises(TableError, match="face was removed"):
        load_images(cohort, tmp_path, key=b"k" * 32)
    loaded = load_images(cohort, tmp_path, key=b"k" * 32, local_use=True)
    assert loaded.table.local_only
    assert 20 < np.median(loaded.table.pixels[:, 28:36, 28:36]) < 45
