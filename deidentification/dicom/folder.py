"""A folder of DICOM files in, a folder of de-identified ones out; the whole of it or nothing.

Belongs here: finding files, spreading them over processes, names of the new ones, the check before a file is kept.
Does not belong here: one file (``files``), the counts (``report``).
"""

import hmac
import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from deidentification.dicom.errors import DicomError, OptedOutError
from deidentification.dicom.files import deidentify_file
from deidentification.dicom.options import Option
from deidentification.dicom.report import FileOutcome, FolderReport, report_of
from deidentification.dicom.verifier import summary, verify
from deidentification.opt_out import Objectors, OptOuts
from deidentification.pseudonyms import refuse_short_key
from records.errors import ParameterError, StorageError
from records.folders import whole_folder

WORKERS = 2
_CONTEXT = b"file:"
_CHUNK = 8


@dataclass(frozen=True)
class _Job:
    source: Path
    target: Path
    key: bytes
    options: frozenset[Option]
    allow_burned_in: bool
    objectors: Objectors | None


_of_worker: list[_Job] = []


def deidentify_folder(
    source: Path,
    out: Path,
    *,
    key: bytes,
    options: frozenset[Option] = frozenset(),
    tell: Callable[[float], None] | None = None,
    workers: int = WORKERS,
    allow_burned_in: bool = False,
    opt_outs: OptOuts | None = None,
) -> FolderReport:
    """De-identify all DICOM files of a folder, at any depth.

    New files lie in ``out/<patient>/<study>/<series>/<code>.dcm``; no part of a source name is kept. Each is checked
    by the verifier beside its original and is left out if anything is found. One refused file stops no other. The
    source is only read; ``out`` takes its name when the last file is written.

    Parameters
    ----------
    source, out : pathlib.Path
        ``out`` is missing or empty, and neither folder lies in the other.
    key : bytes
        The hospital's pseudonym key, at least 16 bytes. Under one key equal patients and UIDs stay equal over runs.
    options : frozenset of Option
        Beside the Basic Profile.
    tell : callable or None
        Told the share of files that are done, 0 to 1.
    workers : int
        Processes, at least 1; 1 runs in this one.
    allow_burned_in : bool
        Let images through that are likely to carry burned-in text though their pixels are not cleaned.
    opt_outs : OptOuts or None
        Patients to leave out, by Patient ID; a file without one is refused then.

    Raises
    ------
    ParameterError
        A folder is not as above, the key is too short, or pixels are to be cleaned without the extra ``ocr``.
    StorageError
        No file could be de-identified, the register of opt-outs cannot be read, or the disk refuses; nothing is left
        behind.
    """
    _refuse(source, out, key, options, workers)
    objectors = opt_outs.objectors() if opt_outs else None
    files = sorted(path for path in source.rglob("*") if path.is_file() and not path.is_symlink())
    with whole_folder(out) as target:
        job = _Job(source, target, key, options, allow_burned_in, objectors)
        report = report_of(_each(job, files, workers, tell or (lambda _: None)), options)
        if not report.written:
            raise StorageError(_none_written(report))
    return report


def _ended_worker() -> StorageError:
    return StorageError(
        "all workers must live to the end, got one that the system ended, likely for want of memory; "
        "run with fewer workers"
    )


def file_code(relative: str, key: bytes) -> str:
    """The code that reports and new names use for a source file: 16 hexadecimal characters, keyed.

    Parameters
    ----------
    relative : str
        Path below the source folder with ``/`` between its parts.
    key : bytes
        The hospital's pseudonym key.
    """
    return hmac.digest(key, _CONTEXT + relative.encode("utf-8", "surrogateescape"), "sha256").hex()[:16]


def sources_of(source: Path, codes: Iterable[str], key: bytes) -> dict[str, str]:
    """Paths below the source folder by the codes that a report tells; for the hospital, since names can be patients'.

    Raises
    ------
    ParameterError
        A code is no file's: the folder, a name in it, or the key is another.
    """
    wanted = set(codes)
    relative = (path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    found = {code: name for name in relative if (code := file_code(name, key)) in wanted}
    if lacking := len(wanted) - len(found):
        raise ParameterError(
            f"codes must be of files in the source, got {lacking} of {len(wanted)} that are of none; name the folder "
            "and the project of the run"
        )
    return found


def _each(job: _Job, files: list[Path], workers: int, tell: Callable[[float], None]) -> list[FileOutcome]:
    outcomes = []
    if workers == 1 or len(files) < _CHUNK:
        for path in files:
            outcomes.append(_one(job, path))
            tell(len(outcomes) / len(files))
        return outcomes
    context = multiprocessing.get_context("spawn")  # a fork would copy locks held by other threads
    try:
        with ProcessPoolExecutor(workers, context, _begin, (job,)) as pool:
            for outcome in pool.map(_next, files, chunksize=_CHUNK):
                outcomes.append(outcome)
                tell(len(outcomes) / len(files))
    except BrokenProcessPool as error:
        raise _ended_worker() from error
    return outcomes


def _begin(job: _Job) -> None:
    """A worker gets its job once: the objections of a whole country are too many to go with each few files."""
    _of_worker[:] = [job]


def _next(path: Path) -> FileOutcome:
    return _one(_of_worker[0], path)


def _one(job: _Job, path: Path) -> FileOutcome:
    code = file_code(path.relative_to(job.source).as_posix(), job.key)
    try:
        data = path.read_bytes()
        made = deidentify_file(
            data, key=job.key, options=job.options, allow_burned_in=job.allow_burned_in, objectors=job.objectors
        )
        findings = verify(made.data, data, options=job.options)
    except OptedOutError:
        return FileOutcome(code, opted_out=True)
    except DicomError as error:
        return FileOutcome(code, str(error))
    except ParameterError:
        raise
    except Exception as error:  # a stranger's file can break any reader; its message could quote the file
        return FileOutcome(code, f"the file must be readable, got a {type(error).__name__}; copy it again")
    if findings.height:
        checks = ", ".join(summary(findings))
        reason = f"the verifier must find nothing, got: {checks}; take the file out and report its kind"
        return FileOutcome(code, reason, findings=findings)
    folder = job.target / made.patient / file_code(made.study, job.key) / file_code(made.series, job.key)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{code}.dcm").write_bytes(made.data)
    changes = made.changes
    return FileOutcome(
        code, None, made.patient, made.study, made.series, changes.removed, changes.emptied, changes.replaced
    )


def _refuse(source: Path, out: Path, key: bytes, options: frozenset[Option], workers: int) -> None:
    refuse_short_key(key, "the pseudonym key", "use a longer key")
    if source.is_file():
        raise ParameterError("the source must be a folder, got a single file; put it in a folder of its own")
    if not source.is_dir():
        raise ParameterError("the source must be a folder, got none of that name; check the path")
    inner, outer = source.resolve(), out.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise ParameterError("source and out must lie apart, got one inside the other; choose another folder for out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError("out must be a new or empty folder, got one that is not; choose another or empty it")
    if workers < 1:
        raise ParameterError(f"workers must be at least 1, got {workers}; the default is {WORKERS}")
    if Option.CLEAN_PIXEL_DATA in options:
        from deidentification.dicom.pixels import detector

        detector()


def _none_written(report: FolderReport) -> str:
    reasons = sorted(set(report.refused.values()))
    shown = "; ".join(reasons[:5]) or "the folder holds no other file"
    left_out = f" and {report.opted_out} of patients who opted out" if report.opted_out else ""
    return f"at least one file must be de-identified, got {len(report.refused)} refused{left_out}; {shown}"
