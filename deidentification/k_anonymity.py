"""k-anonymity: how many patients share a row's quasi-identifiers, and which rows may be handed out.

Belongs here: class sizes, the flag, and the hand-out. Does not belong here: generalisation, which is fixed by the
codebook (``generalisation``): generalising or suppressing as the data demand lets one patient change many rows, and
no differential privacy computed afterwards would hold. The flag itself depends on other patients for the same
reason. It guards row-level hand-outs only; synthesizers drop it and see all rows, and are themselves private.
"""

import polars as pl

from records.errors import ParameterError
from records.schema import Role, Schema

K_ANONYMOUS = "k_anonymous"


def class_columns(schema: Schema) -> list[str]:
    """Names of the columns that make up a class: the site, since k holds within a hospital, and quasi-identifiers."""
    return [column.name for column in schema.with_role(Role.SITE, Role.QUASI_IDENTIFIER)]


def class_sizes(table: pl.DataFrame, schema: Schema) -> pl.Series:
    """Number of rows that share each row's site and quasi-identifiers; a missing value equals only a missing value.

    Parameters
    ----------
    table : polars.DataFrame, n rows
        De-identified, one row per patient.
    schema : Schema
        De-identified schema; without quasi-identifiers all rows are one class.

    Returns
    -------
    polars.Series of UInt32, length n, named ``class_size``
    """
    keys = class_columns(schema)
    size = pl.len().over(keys) if keys else pl.repeat(table.height, table.height)
    return table.select(size.cast(pl.UInt32).alias("class_size")).to_series()


def count_classes(table: pl.DataFrame, schema: Schema) -> int:
    """Number of classes."""
    keys = class_columns(schema)
    return table.select(pl.struct(keys).n_unique()).item() if keys else min(1, table.height)


def with_k_flag(table: pl.DataFrame, schema: Schema, k: int) -> pl.DataFrame:
    """The table with a Boolean column ``k_anonymous``: the row's class has at least ``k`` patients (Sweeney, 2002).

    Raises
    ------
    ParameterError
        ``k`` is below 2, which would protect nobody.
    """
    if k < 2:
        raise ParameterError(f"k must be at least 2, got {k}; hospitals commonly use 5 or 11")
    return table.with_columns((class_sizes(table, schema) >= k).alias(K_ANONYMOUS))


def hand_out(table: pl.DataFrame) -> pl.DataFrame:
    """Rows that may leave as rows: the k-anonymous ones, without the flag.

    Raises
    ------
    ParameterError
        The table has no flag.
    """
    if K_ANONYMOUS not in table.columns:
        raise ParameterError(
            f"a table must have the column {K_ANONYMOUS} to be handed out, got none; de-identify it first"
        )
    return table.filter(pl.col(K_ANONYMOUS)).drop(K_ANONYMOUS)
