"""A party's site from files: de-identified Parquet tables with the codebooks of the use cases.

Belongs here: reading and checking the table behind a data set, its attributes for synthesis, and its network. Does not
belong here: what a party allows (``federation.party``), or making the de-identified tables (``assets.cohort``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from deidentification.k_anonymity import K_ANONYMOUS
from deidentification.schema import deidentified_schema, released_schema
from deidentification.split import HOLDOUT
from federation.jobs.job import Filter, Job
from federation.models.learner import Learner, LearningTask
from federation.site import Attributes, kept_rows, known_columns
from records.errors import ParameterError
from records.files import read_table_file
from records.schema import Schema
from records.validation import validate
from use_cases.cohort import Cohort
from use_cases.registry import discover


@dataclass(frozen=True)
class DatasetFile:
    """A cohort's codebook and the file of its de-identified table; ``None`` where the site only computes."""

    cohort: Cohort
    file: Path | None

    @classmethod
    def named(cls, text: str, folder: Path = Path()) -> "DatasetFile":
        """From ``<cohort>=<file>`` or ``<cohort>``; paths are relative to ``folder``."""
        name, _, file = text.partition("=")
        cohorts = {c.name: c for use_case in discover().values() for c in use_case.cohorts}
        if name not in cohorts:
            raise ParameterError(
                f"the source must name a cohort ({', '.join(cohorts)}), got {name}; choose one of these"
            )
        return cls(cohorts[name], folder / file if file else None)


class FederatedSite:
    """See ``federation.site.Site``.

    Parameters
    ----------
    files : mapping of str to DatasetFile
        Data set to its codebook and table. Files are read when asked for, and again after they changed.
    """

    def __init__(self, files: Mapping[str, DatasetFile]) -> None:
        self._files = files
        self._read: dict[str, tuple[int, pl.DataFrame]] = {}

    def datasets(self) -> list[str]:
        """Data sets with a file."""
        return [name for name, one in self._files.items() if one.file is not None]

    def schema(self, dataset: str) -> Schema:
        """The codebook after de-identification."""
        return deidentified_schema(self._held(dataset).cohort.table)

    def table(self, dataset: str, columns: Sequence[str], filters: Sequence[Filter] = ()) -> pl.DataFrame:
        """De-identified patients, held-out ones too."""
        known_columns(self.schema(dataset), columns)
        return self._rows(dataset, filters).select(columns)

    def attributes(self, dataset: str, filters: Sequence[Filter] = (), columns: Sequence[str] = ()) -> Attributes:
        """Attributes of a synthesizer, over releasable columns and patients that are not held out."""
        from models.attributes import encode_attributes

        schema = released_schema(self._held(dataset).cohort.table)
        if columns:
            schema = schema.select(column.name for column in known_columns(schema, columns))
        rows = self._rows(dataset, filters)
        learnt = rows.filter(~pl.col(HOLDOUT)) if HOLDOUT in rows.columns else rows
        return encode_attributes(learnt.select(schema.names), schema)

    def learner(self, job: Job, task: LearningTask) -> Learner:
        """A network that learns from patients who are not held out and is judged on those who are."""
        from models.federated_learner import FederatedLearner, examples

        rows = pl.DataFrame(schema=task.schema.polars())
        if job.dataset in self.datasets():
            rows = self._rows(job.dataset, job.filters)
        out = rows[HOLDOUT] if HOLDOUT in rows.columns else pl.repeat(False, rows.height, eager=True)
        learnt, judged = (
            examples(rows.filter(side), task.schema, task.outcome, task.covariates) for side in (~out, out)
        )
        offset = task.first_offset
        return FederatedLearner(task.covariates, task.hidden, task.seed, learnt, judged, first_offset=offset)

    def _rows(self, dataset: str, filters: Sequence[Filter]) -> pl.DataFrame:
        schema, file = self.schema(dataset), self._held(dataset).file
        if file is None:
            return pl.DataFrame(schema=schema.polars())
        changed = file.stat().st_mtime_ns if file.exists() else 0
        if dataset not in self._read or self._read[dataset][0] != changed:
            self._read[dataset] = changed, _typed(file, schema)
        return self._read[dataset][1].filter(kept_rows(schema, filters))

    def _held(self, dataset: str) -> DatasetFile:
        if dataset not in self._files:
            raise ParameterError(f"the data set must be one that this site offers, got {dataset}; ask its catalogue")
        return self._files[dataset]


def _typed(file: Path, schema: Schema) -> pl.DataFrame:
    """The table in schema form with the flags of de-identification."""
    frame = read_table_file(file).frame
    if frame.height == 0:
        return pl.DataFrame(schema=schema.polars())
    # One hospital alone may lack a class of an outcome or all values of a column; the pooled cohort was checked.
    typed = _checked(frame, schema, source=file.name)
    return typed.with_columns(frame[name] for name in (K_ANONYMOUS, HOLDOUT) if name in frame.columns)


def _checked(frame: pl.DataFrame, schema: Schema, *, source: str) -> pl.DataFrame:
    empty = [
        n for n in schema.names if n in frame.columns and schema[n].missing and frame[n].null_count() == frame.height
    ]
    known = schema.model_copy(update={"outcomes": ()}).select(n for n in schema.names if n not in empty)
    typed = validate(frame, known, source=source)
    absent = [pl.lit(None, dtype=schema[name].dtype).alias(name) for name in empty]
    return typed.with_columns(absent).select(schema.names)
