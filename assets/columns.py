"""Columns as Dagster shows them: their codebook and what they come from.

Belongs here: column schema and column lineage. Does not belong here: what a column means (``records``, ``use_cases``).
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from records.schema import Kind, Schema


def column_schema(schema: Schema) -> dg.TableSchema:
    """The codebook as Dagster shows it."""
    kinds = [(c, f"{c.label} [{c.role}]" + (f", {c.unit}" if c.unit else "")) for c in schema.columns]
    return dg.TableSchema(columns=[dg.TableColumn(c.name, type=str(c.kind), description=text) for c, text in kinds])


def column_lineage(upstream: Sequence[str], origins: Mapping[str, Sequence[str]]) -> dg.TableColumnLineage:
    """Each column's origins in the asset ``upstream``."""
    key = dg.AssetKey(upstream)
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset_key=key, column_name=o) for o in found] for name, found in origins.items()}
    )


def unchanged(schema: Schema) -> dict[str, list[str]]:
    """Origins of columns that keep their names."""
    return {name: [name] for name in schema.names}


def deidentified_origins(schema: Schema) -> dict[str, list[str]]:
    """Origins of the de-identified columns in the raw table: a pseudonym is keyed, days count from the index date."""
    from deidentification.schema import PSEUDONYM, kept_as

    origins = {PSEUDONYM.name: [schema.identifier.name]} if schema.identifier else {}
    for column in schema.columns:
        if (kept := kept_as(column, schema)) is not None:
            days = column.kind is Kind.DATE and schema.index_date
            origins[kept.name] = [column.name, schema.index_date] if days and schema.index_date else [column.name]
    return origins
