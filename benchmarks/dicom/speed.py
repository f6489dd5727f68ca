"""How long 1,000 CT images take.

Belongs here: making the images, the clock. Does not belong here: correctness (tests).
"""

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from benchmarks.dicom.peers import KEY
from deidentification.dicom.folder import deidentify_folder

FILES, PATIENTS, SIDE = 1000, 10, 512


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processor time over all processes (in 2 processes, twice what a free machine takes)."""

    clock: float
    cpu: float


def cost(files: int = FILES, workers: int = 2) -> Cost:
    """Of a folder of ``files`` images of 512 x 512: read, de-identified, verified and written."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        _make(source, files)
        start, before = time.perf_counter(), _cpu()
        report = deidentify_folder(source, Path(folder) / "out", key=KEY, workers=workers)
        took = Cost(time.perf_counter() - start, _cpu() - before)
    if report.written != files or report.findings.height:
        raise RuntimeError(f"{files} files must come out clean, got {report.written}")
    return took


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _make(folder: Path, files: int) -> None:
    """A real CT slice of 128 x 128 (pydicom's CT_small) enlarged four times, with its own UIDs and numbers."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))  # type: ignore[arg-type]
    factor = SIDE // dataset.Rows
    dataset.PixelData = np.kron(dataset.pixel_array, np.ones((factor, factor), np.int16)).astype("<i2").tobytes()
    dataset.Rows = dataset.Columns = SIDE
    folder.mkdir()
    for number in range(files):
        patient = number % PATIENTS
        dataset.PatientID, dataset.PatientName = f"P{patient:06d}", f"Mustermann^Erika {patient:06d}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.3.{patient}", f"1.2.3.{patient}.1"
        dataset.SOPInstanceUID = UID(f"1.2.3.{patient}.1.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.InstanceNumber = number
        dataset.save_as(folder / f"{number:04d}.dcm")
