"""Folders: what comes out holds no trace of the source's names, bad files stop no others, and out is whole or not there."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import ClassVar

import polars as pl
import pydicom
import pytest
from pydicom.data import get_testdata_file

from deidentification.dicom.folder import deidentify_folder, file_code
from deidentification.dicom.verifier import verify
from deidentification.opt_out import Objectors, OptOuts
from deidentification.pseudonyms import pseudonymise
from records.errors import ParameterError, StorageError

KEY = b"k" * 32
GOOD = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "rtdose.dcm", "MR_small_implicit.dcm", "waveform_ecg.dcm")
BAD = ("MR_truncated.dcm", "test1.json", "SC_rgb_small_odd.dcm", "dicomdirtests/DICOMDIR")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "Virtanen Matti"
    (folder / "study of Matti").mkdir(parents=True)
    for name in (*GOOD, *BAD):
        path = get_testdata_file(name, download=False)
        shutil.copy(str(path), folder / "study of Matti" / Path(name).name)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def outputs(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_good_files_come_out_and_bad_ones_are_told(source: Path, tmp_path: Path, workers: int) -> None:
    before, shares = contents(source), list[float]()
    report = deidentify_folder(source, tmp_path / "out", key=KEY, tell=shares.append, workers=workers)
    assert contents(source) == before
    assert (report.written, len(report.refused), report.findings.height) == (len(GOOD), len(BAD), 0)
    assert sorted(tmp_path.iterdir()) == [source, tmp_path / "out"]
    names = " ".join(path.relative_to(tmp_path / "out").as_posix() for path in outputs(tmp_path / "out"))
    assert "Matti" not in names
    assert all(name not in names for name in GOOD)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_each_file_out_is_clean_beside_its_original(source: Path, tmp_path: Path) -> None:
    deidentify_folder(source, tmp_path / "out", key=KEY, workers=1)
    by_code = {file_code(name, KEY): data for name, data in contents(source).items()}
    for path in outputs(tmp_path / "out"):
        assert verify(path.read_bytes(), by_code[path.stem]).height == 0
        dataset = pydicom.dcmread(path)
        assert path.parts[-4] == dataset.PatientID
    patient = str(pydicom.dcmread(source / "study of Matti" / "CT_small.dcm").PatientID)
    assert (tmp_path / "out" / pseudonymise(pl.Series([patient]), KEY)[0]).is_dir()


def test_the_report_is_json_without_names_or_values(source: Path, tmp_path: Path) -> None:
    report = deidentify_folder(source, tmp_path / "out", key=KEY, workers=1)
    told = json.loads(json.dumps(report.to_json()))
    assert told["files_written"] == told["verifier"]["files_checked"] == len(GOOD)
    assert told["attributes_removed"]["private"] > 0
    assert file_code("study of Matti/test1.json", KEY) in told["refused"]
    text = json.dumps(told)
    assert not [word for word in ("Matti", "CT_small", "CompressedSamples", "1CT1") if word in text]


def test_two_runs_under_one_key_are_equal_and_under_another_differ(source: Path, tmp_path: Path) -> None:
    for name, key in (("a", KEY), ("b", KEY), ("c", b"l" * 32)):
        deidentify_folder(source, tmp_path / name, key=key, workers=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not set(contents(tmp_path / "a")) & set(contents(tmp_path / "c"))


class Counted(Objectors):
    """Objections that count how often they are sent to a worker."""

    sent: ClassVar[list[str]] = []

    def __reduce__(self) -> tuple[type[Objectors], tuple[object, ...]]:
        self.sent.append("once more")
        return Objectors, (self.pseudonyms, self.keys, self.hub_key)


@pytest.mark.slow
def test_objections_go_to_each_worker_once(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for copy in range(3):
        shutil.copytree(source / "study of Matti", source / f"copy {copy}")
    gone = pseudonymise(pl.Series([str(pydicom.dcmread(source / "study of Matti" / "CT_small.dcm").PatientID)]), KEY)
    monkeypatch.setattr(OptOuts, "objectors", lambda self: Counted(frozenset(gone), (self.key,), None))
    opt_outs = OptOuts(tmp_path / "opted_out.jsonl", date(2026, 1, 1), KEY)
    report = deidentify_folder(source, tmp_path / "out", key=KEY, workers=2, opt_outs=opt_outs)
    assert report.opted_out >= 4
    assert 1 <= len(Counted.sent) <= 2


def test_a_finding_of_the_verifier_keeps_the_file_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deidentification.dicom import engine

    monkeypatch.setattr(engine.Engine, "_remove", lambda *_: None)  # an engine that forgets to remove
    report = deidentify_folder(source, tmp_path / "out", key=KEY, workers=1)
    withheld = [
        code for code, why in report.refused.items() if "verifier must find nothing, got: attribute left" in why
    ]
    assert set(report.findings["file"]) == set(withheld) != set()
    assert report.written == len(GOOD) - len(withheld)
    assert not {path.stem for path in outputs(tmp_path / "out")} & set(withheld)
    assert report.checked == len(GOOD)


def test_folders_that_overlap_or_are_used_are_refused(source: Path, tmp_path: Path) -> None:
    for out in (source, source / "out", tmp_path):
        with pytest.raises(ParameterError, match="must lie apart"):
            deidentify_folder(source, out, key=KEY)
    used = tmp_path / "used"
    used.mkdir()
    (used / "a").write_text("")
    with pytest.raises(ParameterError, match="new or empty"):
        deidentify_folder(source, used, key=KEY)
    with pytest.raises(ParameterError, match="at least 16 bytes"):
        deidentify_folder(source, tmp_path / "out", key=b"short")
    with pytest.raises(ParameterError, match="got a single file; put it in a folder"):
        deidentify_folder(used / "a", tmp_path / "out", key=KEY)
    with pytest.raises(ParameterError, match="must be a folder"):
        deidentify_folder(source / "none", tmp_path / "out", key=KEY)


def test_only_bad_files_or_a_full_disk_leave_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in GOOD:
        (source / "study of Matti" / name).rename(tmp_path / name)
    with pytest.raises(StorageError, match="at least one file must be de-identified, got 4 refused"):
        deidentify_folder(source, tmp_path / "out", key=KEY, workers=1)
    (tmp_path / "CT_small.dcm").rename(source / "CT_small.dcm")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        deidentify_folder(source, tmp_path / "out", key=KEY, workers=1)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
