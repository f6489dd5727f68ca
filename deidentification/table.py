"""De-identification of a table file for release: from a hospital's CSV or Parquet to a file that may be handed out.

Belongs here: the steps in their order, files in and out, and the report. Does not belong here: the steps themselves,
or synthesis, which reads what ``pipeline`` makes and not what this makes: generalising as the data demand is not
stable, so that no differential privacy computed afterwards would hold.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from deidentification.anonymity.anonymisation import AnonymityReport, anonymise, class_rows, quasi_identifiers
from deidentification.anonymity.cautions import NO_CLASSES, cautions
from deidentification.anonymity.code_systems import code_problems, plain_codes
from deidentification.anonymity.models import Anonymity
from deidentification.anonymity.risk import Risk, residual_risk
from deidentification.anonymity.risk_plot import risk_picture
from deidentification.identification.finding import Finding
from deidentification.identification.scan import refuse_identifiers
from deidentification.opt_out import OptOuts, refuse_studies
from deidentification.preparation import prepared
from deidentification.project_keys import fingerprint, refuse_other_key
from records.date_reading import DatesRead, read_dates
from records.errors import CodebookError, ParameterError, StorageError, TableError
from records.files import parquet_bytes, write_atomically
from records.reading import read_table
from records.schema import Kind, Schema
from records.validation import validate

WRITTEN = (".csv", ".parquet")


@dataclass(frozen=True)
class TableReport:
    """What became of a table. Counts of real patients: for the hospital, not for release.

    Parameters
    ----------
    source, table : str
        Names of the file read and of the file written.
    rows, excluded, released : int
        Patients in the source, left out because they opted out, and in the file written.
    permit_date : datetime.date or None
    key_fingerprint : str
        Of the key of the pseudonyms.
    columns : mapping of str to str
        Each column of the codebook and what became of it before the search.
    anonymity : AnonymityReport
        What was generalised and suppressed, the loss, and the risk before and after.
    warnings : tuple of Finding
        Columns for a person to look at: free text, almost unique values.
    dates : mapping of str to DatesRead
        How dates were read.
    cautions : tuple of str
        What the codebook leaves out of k though it may tell who a patient is.
    """

    source: str
    table: str
    rows: int
    excluded: int
    released: int
    permit_date: date | None
    key_fingerprint: str
    columns: Mapping[str, str]
    anonymity: AnonymityReport
    warnings: tuple[Finding, ...]
    dates: Mapping[str, DatesRead]
    cautions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "source": self.source, "table": self.table, "rows": self.rows, "excluded": self.excluded,
            "suppressed": self.anonymity.suppressed, "released": self.released,
            "permit_date": self.permit_date.isoformat() if self.permit_date else None,
            "key_fingerprint": self.key_fingerprint, "columns": dict(self.columns),
            "anonymity": self.anonymity.to_json(), "warnings": [finding.to_json() for finding in self.warnings],
            "dates": {name: read.to_json() for name, read in self.dates.items()}, "cautions": list(self.cautions),
        }  # fmt: skip


def deidentify_table(
    source: Path,
    out: Path,
    schema: Schema,
    demand: Anonymity,
    *,
    key: bytes,
    population_multiplier: float = 1.0,
    opt_outs: OptOuts | None = None,
    read: Callable[[Path], pl.DataFrame] = read_table,
    tell: Callable[[str], None] = lambda _: None,
) -> TableReport:
    """De-identify a table file; beside ``out`` are written ``<out>.report.json`` and ``<out>.risk.png``: all or none.

    Parameters
    ----------
    source, out : pathlib.Path
        CSV or Parquet each; the source is only read.
    key : bytes
        The project's key, see ``project_keys.project_key``.
    population_multiplier : float
        People of the population per patient, for the journalist's risk, at least 1.
    read : callable
        Reads the source in the names of the codebook, for instance ``Cohort.harmonise`` of the table read.
    tell : callable
        Is told each step, without values.

    Raises
    ------
    StorageError
        A file cannot be read or written.
    TableError
        The table breaks its codebook, or a column that is no identifier holds identifiers.
    CodebookError
        The codebook has no identifier, or two columns of one name come out of it.
    ParameterError
        The demand cannot be reached, or ``out`` was released before under another key.
    """
    refuse_places(source, out)
    _refuse_lost_key(out, key)
    tell(f"reading {source.name}")
    frame, dates = _with_dates(read(source), schema)
    found = refuse_identifiers(frame, schema, source=source.name)
    frame = _validated(frame, schema, source.name)
    kept = frame.filter(~_opted_out(frame, schema, opt_outs))
    tell(f"{frame.height} patients, {frame.height - kept.height} left out because they opted out")
    before = _risk(kept, schema, population_multiplier)
    ready = prepared(kept, schema, key)
    tell(f"searching the least generalisation to k {demand.k}")
    table, reached = anonymise(ready.frame, ready.schema, demand, before=before)
    report = TableReport(
        source=source.name, table=out.name, rows=frame.height, excluded=frame.height - kept.height,
        released=table.height, permit_date=opt_outs.permit_date if opt_outs else None, key_fingerprint=fingerprint(key),
        columns=ready.changes, anonymity=reached, dates=dates,
        warnings=tuple(f for f in found if ready.changes[f.column].startswith("kept")),
        cautions=cautions(schema, table),
    )  # fmt: skip
    _write(out, table, report)
    tell(f"{table.height} patients written to {out.name}, {reached.suppressed} suppressed, loss {reached.loss:.3f}")
    return report


def _risk(frame: pl.DataFrame, schema: Schema, population_multiplier: float) -> Risk:
    """The risk of the source, before dates are moved."""
    sizes = class_rows(frame, [column.name for column in quasi_identifiers(schema)])
    return residual_risk(sizes, population_multiplier=population_multiplier)


def refuse_places(source: Path, out: Path) -> None:
    """Refuse to write a table to a file of another kind, or over its own source.

    Raises
    ------
    ParameterError
        ``out`` does not end in .csv or .parquet, or is the source.
    """
    if out.suffix not in WRITTEN:
        raise ParameterError(f"the file written must end in {' or '.join(WRITTEN)}, got {out.name}; rename it")
    if out.resolve() == source.resolve():
        raise ParameterError(f"the file written must be another than the source, got {out.name} for both; rename it")


def table_bytes(out: Path, table: pl.DataFrame) -> bytes:
    """The table as CSV or Parquet, as the name of ``out`` says."""
    return table.write_csv().encode() if out.suffix == ".csv" else parquet_bytes(table)


def _refuse_lost_key(out: Path, key: bytes) -> None:
    """A table released before under another key is not replaced: its pseudonyms could be linked to nothing."""
    try:
        former = json.loads(_report_of(out).read_text(encoding="utf-8"))["key_fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # no former release
    refuse_other_key(key, former, what=f"the former {out.name}")


def _report_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.report.json")


def _with_dates(raw: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, dict[str, DatesRead]]:
    read = {}
    for column in schema.columns:
        if column.kind is Kind.DATE and column.earliest and column.latest and raw.schema.get(column.name) == pl.String:
            read[column.name] = read_dates(raw[column.name], earliest=column.earliest, latest=column.latest)
    # A text that is no date stays, so that the validation counts it, unless the codebook lets dates be missing.
    unread = [name for name, done in read.items() if done.unread and not schema[name].missing]
    return raw.with_columns(done.dates for name, done in read.items() if name not in unread), read


def _validated(raw: pl.DataFrame, schema: Schema, source: str) -> pl.DataFrame:
    """As ``validate``, with the problems of code systems in the same error."""
    raw = plain_codes(raw, schema)
    problems = code_problems(raw, schema)
    try:
        frame = validate(raw, schema.model_copy(update={"outcomes": ()}), source=source)
    except TableError as error:
        raise TableError(source, (*error.problems, *problems)) from error
    if problems:
        raise TableError(source, problems)
    return frame


def _opted_out(frame: pl.DataFrame, schema: Schema, opt_outs: OptOuts | None) -> pl.Series:
    if opt_outs is None:
        return pl.repeat(False, frame.height, eager=True)
    if schema.identifier is None:
        raise CodebookError(f"{schema.name} must have an identifier to know who opted out, got none; give one the role")
    refuse_studies(schema)
    return opt_outs.of(frame[schema.identifier.name])


def _picture(report: TableReport) -> bytes:
    meaningless = any(caution.startswith(NO_CLASSES) for caution in report.cautions)
    return risk_picture(report.anonymity.before, report.anonymity.after, warning=NO_CLASSES if meaningless else "")


def _write(out: Path, table: pl.DataFrame, report: TableReport) -> None:
    """All files under temporary names first, then each to its own."""
    files = {
        out: table_bytes(out, table),
        _report_of(out): json.dumps(report.to_json(), indent=2, ensure_ascii=False).encode(),
        out.with_name(f"{out.name}.risk.png"): _picture(report),
    }
    if taken := [path.name for path in files if path.is_dir()]:
        raise StorageError(f"{taken[0]} must be a file's name, got a folder; move the folder away")
    staged = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, data in files.items():
            write_atomically(staged[path], data, called=path.name)
        for path, temporary in staged.items():
            temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{out.name} must be written whole, got {error.strerror}; choose another folder") from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
