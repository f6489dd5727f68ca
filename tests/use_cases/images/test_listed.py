"""A NIfTI file without its reader installed says what to install."""

import sys

import pytest

from records.errors import ParameterError
from use_cases.images.listed import read_volume


@pytest.mark.parametrize("masked", [False, True])
def test_missing_extra_is_named(tmp_path, monkeypatch, masked):
    monkeypatch.setitem(sys.modules, "nibabel", None)
    monkeypatch.delitem(sys.modules, "use_cases.images.nifti", raising=False)
    path = tmp_path / "one.nii.gz"
    path.write_bytes(b"")
    with pytest.raises(ParameterError, match="install the extra images"):
        read_volume(path, path if masked else None, {})
