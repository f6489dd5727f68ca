"""What a party knows of its own hospital: data sets, codebooks and de-identified tables.

Belongs here: the contract ``Site``, a site whose tables are in memory, and which rows a job's filters keep. Does not
belong here: files (assembled outside this package), and whether a job is allowed (``party.acceptance``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import polars as pl

from federation.jobs.job import Filter, Job
from federation.models.learner import Learner, LearningTask
from records.discretisation import discrete_columns, encode_column, level_count
from records.errors import ParameterError
from records.schema import Column, Kind, Schema

Attributes = dict[str, tuple[np.ndarray, int]]


class Site(Protocol):
    """A hospital's de-identified data, one row per patient."""

    def datasets(self) -> list[str]:
        """Data sets of which this site has patients."""
        ...

    def schema(self, dataset: str) -> Schema:
        """The codebook of a data set; a site may know it without having patients."""
        ...

    def table(self, dataset: str, columns: Sequence[str], filters: Sequence[Filter] = ()) -> pl.DataFrame:
        """``columns`` of the patients that fulfil all ``filters``, in schema types; no rows where it has none."""
        ...

    def attributes(self, dataset: str, filters: Sequence[Filter] = (), columns: Sequence[str] = ()) -> Attributes:
        """Level numbers of shape (rows,) and number of levels by attribute, for synthesis; by default of all columns."""
        ...

    def learner(self, job: Job, task: LearningTask) -> Learner:
        """The network of ``task`` over the patients of ``job``, none where the site only computes."""
        ...


class TableSite:
    """A site whose tables are in memory.

    Parameters
    ----------
    tables : mapping of str to (Schema, polars.DataFrame or None)
        Codebook and table of each data set; ``None`` where the site only computes.
    encode : callable
        (table, schema) to attributes; by default each column that can be discretised is one.
    learn : callable or None
        (table, task) to a network; it decides who is held out.
    """

    def __init__(
        self, tables: Mapping[str, tuple[Schema, pl.DataFrame | None]],
        encode: Callable[[pl.DataFrame, Schema], Attributes] | None = None,
        learn: Callable[[pl.DataFrame, LearningTask], Learner] | None = None,
    ) -> None:  # fmt: skip
        self._tables = tables
        self._encode = encode or _encoded_columns
        self._learn = learn

    def datasets(self) -> list[str]:
        """See ``Site``."""
        return [name for name, (_, table) in self._tables.items() if table is not None]

    def schema(self, dataset: str) -> Schema:
        """See ``Site``."""
        return self._held(dataset)[0]

    def table(self, dataset: str, columns: Sequence[str], filters: Sequence[Filter] = ()) -> pl.DataFrame:
        """See ``Site``."""
        schema, table = self._held(dataset)
        known_columns(schema, columns)
        rows = pl.DataFrame(schema=schema.polars()) if table is None else table
        return rows.filter(kept_rows(schema, filters)).select(columns)

    def attributes(self, dataset: str, filters: Sequence[Filter] = (), columns: Sequence[str] = ()) -> Attributes:
        """See ``Site``."""
        schema = self.schema(dataset)
        chosen = schema.select(columns) if columns else schema
        return self._encode(self.table(dataset, chosen.names, filters), chosen)

    def learner(self, job: Job, task: LearningTask) -> Learner:
        """See ``Site``."""
        if self._learn is None:
            raise ParameterError("the site must be able to train networks, got one that is not; ask it for statistics")
        held = job.dataset in self.datasets()
        rows = self.table(job.dataset, task.schema.names, job.filters) if held else None
        return self._learn(pl.DataFrame(schema=task.schema.polars()) if rows is None else rows, task)

    def _held(self, dataset: str) -> tuple[Schema, pl.DataFrame | None]:
        if dataset not in self._tables:
            raise ParameterError(f"the data set must be one that this site offers, got {dataset}; ask its catalogue")
        return self._tables[dataset]


def known_columns(schema: Schema, names: Sequence[str]) -> list[Column]:
    """The codebook's columns called ``names``."""
    if unknown := [name for name in names if name not in schema.names]:
        raise ParameterError(f"columns must be those of {schema.name}, got {', '.join(unknown)}; see its codebook")
    return [schema[name] for name in names]


def kept_rows(schema: Schema, filters: Sequence[Filter]) -> pl.Expr:
    """Expression that is true on the patients that fulfil all ``filters``; a missing value fulfils none."""
    wanted = [_fulfilled(one, known_columns(schema, [one.column])[0]) for one in filters]
    return pl.all_horizontal(*wanted).fill_null(False) if wanted else pl.lit(True)


def _fulfilled(one: Filter, column: Column) -> pl.Expr:
    values = one.value if isinstance(one.value, tuple) else (one.value,)
    _refuse_unfit(one, column, values)
    value = pl.col(column.name)
    if column.kind is Kind.CATEGORY:
        among = value.cast(pl.String).is_in(list(values))
        return ~among if one.op == "!=" else among
    compare = {
        "==": value.eq, "!=": value.ne, "<": value.lt, "<=": value.le, ">": value.gt, ">=": value.ge,
        "in": lambda _: pl.any_horizontal(*(value == v for v in values)),
    }  # fmt: skip
    return compare[one.op](values[0])


def _refuse_unfit(one: Filter, column: Column, values: Sequence[str | int | float]) -> None:
    if column.kind is Kind.CATEGORY:
        fits = one.op in ("==", "!=", "in") and all(value in column.levels for value in values)
    else:
        low, high = column.minimum, column.maximum
        fits = column.numeric and all(
            isinstance(v, int | float) and low is not None and high is not None and low <= v <= high for v in values
        )
    if not fits:
        raise ParameterError(
            f"a filter of {column.name} must use values of the codebook, got {one.op} {one.value}; mend the filter"
        )


def _encoded_columns(table: pl.DataFrame, schema: Schema) -> Attributes:
    return {c.name: (encode_column(table[c.name], c), level_count(c)) for c in discrete_columns(schema)}
