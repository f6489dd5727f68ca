"""Rows that break what the codebook says must hold in each.

Belongs here: counting them. Does not belong here: refusing a table for them (``gate``) or the constraints (``records``).
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from records.schema import Schema


def with_broken_rows(report: Mapping[str, Any], synthetic: pl.DataFrame, schema: Schema) -> dict[str, Any]:
    """A fidelity report with ``broken_rows``, the share that breaks any constraint, and ``constraints``, one by one.

    Parameters
    ----------
    report : mapping
        JSON of ``fidelity_suite``.
    synthetic : polars.DataFrame
        Schema form.
    """
    shares = {rule.reason: _share(synthetic, [rule.broken()]) for rule in schema.constraints}
    listed = [{"name": reason, "broken_rows": share} for reason, share in shares.items()]
    return {
        **report, "constraints": listed,
        "broken_rows": _share(synthetic, [rule.broken() for rule in schema.constraints]),
    }  # fmt: skip


def _share(table: pl.DataFrame, broken: list[pl.Expr]) -> float:
    return float(table.select(pl.any_horizontal(broken).mean()).item()) if broken and table.height else 0.0
