"""Extractors: the same features every time, an id, and a network that is opened only under its checksum."""

from pathlib import Path

import numpy as np
import pytest
import torch

from metrics.images.features import Extractor, random_convolutions, user_network
from records.errors import ParameterError, StorageError
from records.files import sha256

PIXELS = np.random.default_rng(0).random((7, 28, 28)).astype(np.float32)


def test_random_convolutions_are_the_same_every_time() -> None:
    one, other = random_convolutions(), random_convolutions()
    assert np.array_equal(one(PIXELS), other(PIXELS))
    assert one.id == other.id != random_convolutions(seed=1).id
    assert not np.allclose(one(PIXELS), random_convolutions(seed=1)(PIXELS))
    assert one(PIXELS).shape == (7, int(one.id.split("-")[2].split("/")[0]))
    assert "inception" not in one.id


def test_features_of_an_image_do_not_depend_on_the_others() -> None:
    extract = random_convolutions()
    assert extract(PIXELS)[3] == pytest.approx(extract(PIXELS[3:4])[0], rel=1e-5, abs=1e-7)


def test_large_images_are_averaged() -> None:
    large = np.repeat(np.repeat(PIXELS, 8, axis=1), 8, axis=2)
    small = np.repeat(np.repeat(PIXELS, 2, axis=1), 2, axis=2)
    assert random_convolutions()(large) == pytest.approx(random_convolutions()(small), rel=1e-4)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    path = tmp_path / "own.pt"
    torch.jit.save(torch.jit.script(network), path)
    return path


def test_own_network_by_checksum(weights: Path) -> None:
    checksum = sha256(weights.read_bytes())
    extract = user_network(weights, checksum=checksum)
    assert extract(PIXELS).shape == (7, 3)
    assert checksum[:16] in extract.id


def test_network_of_another_checksum_is_refused(weights: Path) -> None:
    with pytest.raises(ParameterError, match="must have the sha256"):
        user_network(weights, checksum="0" * 64)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.pt"
    path.write_bytes(b"no weights")
    with pytest.raises(ParameterError, match="TorchScript"):
        user_network(path, checksum=sha256(b"no weights"))
    with pytest.raises(StorageError):
        user_network(tmp_path / "absent.pt", checksum="0" * 64)


def test_extractor_without_finite_vectors_is_refused() -> None:
    for wrong in (np.full((7, 2), np.nan), np.zeros(7), np.zeros((3, 2))):
        with pytest.raises(ParameterError, match="one finite vector per image"):
            Extractor("wrong", lambda _, wrong=wrong: wrong)(PIXELS)
