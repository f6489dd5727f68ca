"""``phaseiv deidentify`` and ``phaseiv scrub``: a hospital's files in, de-identified files out.

Belongs here: the commands and what they print. Does not belong here: what is done to a file (``deidentification``).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.deidentification import Kind, NoteScrubber, chosen_options, key_of, kind_of, opt_outs_of
from orchestration.preparation import ended, prepare
from records.errors import ParameterError, PhaseIVError

if TYPE_CHECKING:
    from deidentification.anonymity.models import Anonymity
    from deidentification.dicom.report import FolderReport
    from deidentification.opt_out import OptOuts

ProjectOption = Annotated[
    str | None, typer.Option(help="Project with a key of its own; without it the hospital's key, as in the pipeline.")
]
SharedKeyOption = Annotated[
    Path | None, typer.Option(help="The project's key from another hospital (`phaseiv share-key`), to link patients.")
]

OptOutOption = Annotated[
    Path | None, typer.Option(help="Register of those who opted out; they are left out and counted.")
]
PermitDateOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Date of the permit, with --opt-out.")
]


SOME_REFUSED = 3
"""Exit code of a run that wrote files and refused others."""
ONLY = {
    Kind.TABLE: ("schema", "k", "l", "t", "suppression", "sampling_fraction"), Kind.FHIR: ("notes",), Kind.DICOM: ("option", "allow_burned_in"),
}  # fmt: skip


def deidentify(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="CSV or Parquet file, FHIR file or folder, or folder of DICOM files.")],
    out: Annotated[Path, typer.Option(help="New file or folder.")],
    schema: Annotated[
        Path | None, typer.Option(help="Table: its codebook (YAML); of DICOM files, a table of their headers.")
    ] = None,
    k: Annotated[int, typer.Option(help="Table: patients per class.")] = 5,
    l: Annotated[float | None, typer.Option(help="Table: distinct sensitive values per class.")] = None,  # noqa: E741
    t: Annotated[float | None, typer.Option(help="Table: distance of sensitive values in a class.")] = None,
    suppression: Annotated[float, typer.Option(help="Table: largest share of rows left out.")] = 0.02,
    sampling_fraction: Annotated[
        float | None,
        typer.Option(
            help="Table: share of the population's such patients who are in it, for the journalist's risk; or in the codebook."
        ),
    ] = None,
    opt_out: OptOutOption = None,
    permit_date: PermitDateOption = None,
    notes: Annotated[bool, typer.Option(help="FHIR: scrub notes instead of dropping them.")] = False,
    option: Annotated[list[str] | None, typer.Option(help="DICOM: option of the profile; repeatable.")] = None,
    allow_burned_in: Annotated[bool, typer.Option(help="DICOM: let likely burned-in text through.")] = False,
    project: ProjectOption = None,
    shared_key: SharedKeyOption = None,
) -> None:
    """De-identify a table to k-anonymity, FHIR resources by rule, or DICOM files by PS3.15. The source is only read.

    A folder of DICOM files with --schema becomes a table of the header attributes that the codebook names.
    """
    settings = prepare()
    try:
        kind = kind_of(source)
        kind = Kind.TABLE if kind is Kind.DICOM and schema is not None else kind  # of the headers that it names
        _refuse_options_of_others(kind, context)
        opt_outs = opt_outs_of(settings, opt_out, permit_date)
        key = key_of(settings, project, today=date.today(), shared=shared_key)
        if kind is Kind.DICOM:
            _dicom(source, out, key, option or [], allow_burned_in, opt_outs)
        elif kind is Kind.FHIR:
            _fhir(source, out, key, notes, opt_outs)
        else:
            _table(source, out, schema, key, _demand(k, l, t, suppression), opt_outs, sampling_fraction)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error


def _refuse_options_of_others(kind: Kind, context: typer.Context) -> None:
    """What somebody asked for must not be passed over in silence."""
    asked = {name for name in context.params if (by := context.get_parameter_source(name)) and by.name == "COMMANDLINE"}
    for other, names in ONLY.items():
        if other is not kind and (wrong := sorted(asked & set(names))):
            options = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
            raise ParameterError(
                f"options must be of what the source is ({kind}), got {options} of {other}; leave them out"
            )


def _demand(k: int, l: float | None, t: float | None, suppression: float) -> "Anonymity":  # noqa: E741
    from deidentification.anonymity.models import Anonymity

    return Anonymity(k, l, t, suppression)


def _table(
    source: Path, out: Path, schema: Path | None, key: bytes, demand: "Anonymity", opt_outs: "OptOuts | None",
    sampling_fraction: float | None,
) -> None:  # fmt: skip
    from deidentification.anonymity.risk import people_per_patient
    from deidentification.table import deidentify_table
    from use_cases.cohort import load_codebook
    from use_cases.sources import read_source

    if schema is None:
        raise ParameterError("a table must come with its codebook, got none; name it by --schema")
    cohort = load_codebook(schema)
    people = people_per_patient(cohort.sampling_fraction if sampling_fraction is None else sampling_fraction)
    with _telling("de-identifying") as tell:
        report = deidentify_table(
            source, out, cohort.table, demand, key=key, opt_outs=opt_outs, tell=tell, population_multiplier=people,
            read=lambda path: read_source(cohort, str(path)).frame,
        )  # fmt: skip
    before, after = report.anonymity.before, report.anonymity.after
    typer.echo(f"{out}: {report.released} of {report.rows} patients; report and risk picture beside it")
    _counts(
        "prosecutor's highest risk",
        {"before": f"{before.prosecutor_highest:.3f}", "after": f"{after.prosecutor_highest:.3f}"},
    )
    opted_out = {"opted out": report.excluded} if opt_outs else {}
    _counts("patients left out", opted_out | {"suppressed": report.anonymity.suppressed})
    _warn_of_another_key(opt_outs, report.excluded)
    _counts("generalised to", report.anonymity.levels)
    _counts("columns", report.columns)
    for caution in report.cautions:
        typer.echo(f"Warning: {caution}", err=True)
    for finding in report.warnings:
        typer.echo(f"look at {finding.column}: {finding.kind}", err=True)


def _fhir(source: Path, out: Path, key: bytes, notes: bool, opt_outs: "OptOuts | None") -> None:
    from deidentification.fhir.bundles import deidentify_bundles
    from records.files import write_atomically

    _refuse_source_as_report(source, out)
    scrubber = NoteScrubber(key)
    with _telling("de-identifying") as tell:
        report = deidentify_bundles(
            source, out, key=key, tell=tell, scrub=scrubber if notes else None, opt_outs=opt_outs
        )
    write_atomically(out.with_name(f"{out.name}.report.json"), json.dumps(asdict(report), indent=2).encode())
    typer.echo(f"{out}: {report.files} files, {report.patients} patients; report beside it")
    _counts("patients left out", {"opted out": report.excluded} if opt_outs else {})
    _warn_of_another_key(opt_outs, report.excluded)
    if report.of_nobody:
        done = "left out, as nobody can tell whether they opted out" if opt_outs else "written with dates of their own"
        typer.echo(
            f"Warning: {report.of_nobody} resources refer to no Patient in the source; they are {done}: export the Patients too",
            err=True,
        )
    _counts("resources written", report.resources)
    _counts("resources left out", report.removed)
    removed = {path: done["removed"] for path, done in report.elements.items() if "removed" in done}
    _counts("elements removed", removed)
    _warn_of_foreign(scrubber.foreign)


def _warn_of_another_key(opt_outs: "OptOuts | None", left_out: int) -> None:
    """Lines of older registers tell no key, so that another home's show only in that nobody is left out."""
    if opt_outs is not None and not left_out and (untold := opt_outs.of_unknown_key()):
        typer.echo(
            f"Warning: none of the {untold} objections that tell no key is of a patient here; look whether they were recorded in this "
            "home (PHASEIV_HOME) under a key that it holds",
            err=True,
        )


def _refuse_source_as_report(source: Path, out: Path) -> None:
    """The report of a run must not fall on what the run reads."""
    report = out.with_name(f"{out.name}.report.json").resolve()
    if report == source.resolve() or source.resolve() in report.parents:
        raise ParameterError(
            f"the report's place ({report.name}) must be outside the source, got a place within; give --out another name"
        )


def _dicom(
    source: Path, out: Path, key: bytes, options: list[str], allow_burned_in: bool, opt_outs: "OptOuts | None"
) -> None:
    from rich.progress import Progress

    from deidentification.dicom.folder import deidentify_folder
    from records.files import write_atomically

    _refuse_source_as_report(source, out)
    with Progress() as bar:
        task = bar.add_task("de-identifying", total=1.0)
        report = deidentify_folder(
            source, out, key=key, options=chosen_options(options), allow_burned_in=allow_burned_in,
            opt_outs=opt_outs, tell=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    write_atomically(out.with_name(f"{out.name}.report.json"), json.dumps(report.to_json(), indent=2).encode())
    typer.echo(f"{out}: {report.written} files of {report.patients} patients; report beside it")
    _counts("files left out", {"opted out": report.opted_out} if opt_outs else {})
    _warn_of_another_key(opt_outs, report.opted_out)
    _verified(report)
    if report.refused:
        total = report.written + report.opted_out + len(report.refused)
        words = f"{len(report.refused)} of {total} files refused; `phaseiv refused` tells which, from the report"
        raise ended(words, code=SOME_REFUSED)


def _verified(report: "FolderReport") -> None:
    """The verifier's table, and why files were refused, by their codes."""
    found = report.to_json()["verifier"]
    _counts("attributes", {"removed": sum(report.removed.values()), "emptied": sum(report.emptied.values()),
                           "replaced": sum(report.replaced.values())})  # fmt: skip
    _counts("verifier", {"files checked": found["files_checked"], "files with a finding": len(found["findings"])})
    for row in found["findings"]:
        typer.echo(f"  {row['check']}: {row['count']} in {row['file']} files, which were refused", err=True)
    for code, reason in report.refused.items():
        typer.echo(f"refused {code}: {reason}", err=True)


def refused(
    source: Annotated[Path, typer.Argument(help="Folder of DICOM files that was de-identified.")],
    report: Annotated[Path, typer.Option(help="The run's report, beside its --out.")],
    project: ProjectOption = None,
    shared_key: SharedKeyOption = None,
) -> None:
    """Name the files that a DICOM run refused. The report holds codes, since names of files can be patients'."""
    from deidentification.dicom.folder import sources_of

    settings = prepare()
    try:
        key = key_of(settings, project, today=date.today(), shared=shared_key)
        reasons = _reasons(report)
        found = sources_of(source, reasons, key)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    for code, name in sorted(found.items(), key=lambda item: item[1]):
        typer.echo(f"{name}: {reasons[code]}")


def _reasons(report: Path) -> dict[str, str]:
    """Reason by code, as a DICOM run's report tells them."""
    try:
        found = json.loads(report.read_bytes())["refused"]
        return {str(code): str(reason) for code, reason in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(
            f"{report.name} must be the report of a DICOM run, got another file or none; it lies beside the run's --out"
        ) from error


def scrub(
    source: Annotated[Path, typer.Argument(help="CSV or Parquet file.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write.")],
    text: Annotated[str, typer.Option(help="Column with the notes.")],
    patient: Annotated[str, typer.Option(help="Column with the patients' identifiers; becomes pseudonyms.")],
    language: Annotated[str, typer.Option(help="en, fi, es, it, pt, auto, or a column that holds these.")] = "auto",
    known: Annotated[list[str] | None, typer.Option(help="Column that identifies the patient; repeatable.")] = None,
    tags: Annotated[bool, typer.Option(help="Write kinds in brackets instead of surrogates.")] = False,
    opt_out: OptOutOption = None,
    permit_date: PermitDateOption = None,
    project: ProjectOption = None,
    shared_key: SharedKeyOption = None,
) -> None:
    """Take names, numbers, places and dates out of clinical notes; columns named by --known are left out."""
    from deidentification.table import refuse_places
    from deidentification.text.columns import scrub_column
    from deidentification.text.scrubbing import Mode
    from orchestration.notes import read_notes, write_notes

    settings, mode = prepare(), Mode.TAG if tags else Mode.SURROGATE
    try:
        refuse_places(source, out)
        key = key_of(settings, project, today=date.today(), shared=shared_key)
        notes = read_notes(source, text, patient, language, known or [])
        opt_outs = opt_outs_of(settings, opt_out, permit_date)
        frame = notes.filter(~opt_outs.of(notes[patient])) if opt_outs else notes
        with _telling("scrubbing") as tell:
            done = scrub_column(
                frame, text, patient, language=language, key=key, known_columns=known or [], mode=mode, tell=tell
            )
        write_notes(out, done.frame, text, patient, key)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    typer.echo(f"{out}: {frame.height} notes")
    _counts("notes left out", {"opted out": notes.height - frame.height} if opt_outs else {})
    _warn_of_another_key(opt_outs, notes.height - frame.height)
    _counts("replaced", {str(kind): count for kind, count in done.counts.items()})
    _warn_of_foreign(done.foreign)


def _warn_of_foreign(notes: int) -> None:
    from deidentification.text.language import LANGUAGES

    if notes:
        typer.echo(
            f"Warning: {notes} notes seem to be in none of {', '.join(LANGUAGES)}: names in them may be left; leave these notes out "
            "or read them",
            err=True,
        )


def share_key(
    project: Annotated[str, typer.Argument(help="Project whose patients two hospitals may link.")],
    out: Annotated[Path, typer.Option(help="File for the other hospital; send it on a safe way.")],
    confirm: Annotated[str, typer.Option(help="The key's fingerprint, which the refusal without it tells.")] = "",
) -> None:
    """Hand a project's key to another hospital on purpose, so that equal patients get equal pseudonyms in both."""
    from deidentification.project_keys import export_key, fingerprint

    settings = prepare()
    try:
        key = key_of(settings, project, today=date.today())
        export_key(out, key, project, confirm=confirm)
    except (PhaseIVError, OSError) as error:
        raise ended(str(error), code=1) from error
    typer.echo(f"{out}: key {fingerprint(key)} of {project}; whoever reads it can try identifiers against pseudonyms")


@contextmanager
def _telling(words: str) -> Iterator[Callable[[str], None]]:
    from rich.console import Console

    with Console().status(words) as status:
        yield lambda told: status.update(f"{words}: {told}")


def _counts(title: str, counts: Any) -> None:
    """A small table of two columns; nothing if there is nothing to count."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title, "")
    for name, count in counts.items():
        table.add_row(str(name), str(count))
    if table.row_count:
        Console().print(table)
