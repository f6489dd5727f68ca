"""Rows that break what the codebook says must hold in each.

Belongs here: counting them. Does not belong here: refusing a table for them (``gate``) or the constraints (``records``).
"""

from typing import Any

import polars as pl

from records.schema import Schema


def broken_rows(synthetic: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    """Shares of rows that break a constraint.

    Parameters
    ----------
    synthetic : polars.DataFrame
        Schema form.

    Returns
    -------
    dict
        ``broken_rows``, the share that breaks any, 0 to 1; ``constraints``, a list of ``name`` and ``broken_rows``.
    """
    rules = [rule.broken() for rule in schema.constraints]
    listed = [{"name": rule.reason, "broken_rows": _share(synthetic, [rule.broken()])} for rule in schema.constraints]
    return {"broken_rows": _share(synthetic, rules), "constraints": listed}


def _share(table: pl.DataFrame, broken: list[pl.Expr]) -> float:
    return float(table.select(pl.any_horizontal(broken).mean()).item()) if broken and table.height else 0.0
