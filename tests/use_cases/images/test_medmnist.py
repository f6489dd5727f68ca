"""A file in the MedMNIST layout: every image once, with its label and split; a cut file is refused."""

from pathlib import Path

import numpy as np
import pytest

import use_cases
from records.errors import StorageError
from use_cases.images.codebook import load_image_codebook
from use_cases.images.medmnist import find

COHORT = load_image_codebook(Path(use_cases.__file__).parent / "images/chest_xray28.yaml")


def test_images_labels_and_splits_stay_together(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    labels = np.array([0, 1, 1, 0, 1, 0])[:, None]
    parts = {"train": slice(0, 3), "val": slice(3, 4), "test": slice(4, 6)}
    arrays = {f"{k}_images": images[v] for k, v in parts.items()} | {f"{k}_labels": labels[v] for k, v in parts.items()}
    path = tmp_path / "one.npz"
    np.savez(path, **arrays)
    volumes = [series.read() for series in find(path, COHORT)]
    assert np.allclose(np.concatenate([volume.pixels for volume in volumes]) * 255, images, atol=1e-4)
    assert [volume.values["split"] for volume in volumes] == ["train"] * 3 + ["val"] + ["test"] * 2
    label = COHORT.image.label.source or COHORT.image.label.name
    assert [volume.values[label] for volume in volumes] == [str(level) for level in labels.ravel()]
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(StorageError, match="whole"):
        list(find(path, COHORT))
