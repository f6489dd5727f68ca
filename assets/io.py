"""IO managers: tables as Parquet, one file per hospital, and reports as JSON; every write is whole or not at all.

Belongs here: how assets are stored. Does not belong here: what is in them.
"""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from assets.workspace import Workspace
from records.errors import StorageError
from records.files import TableFile, read_table_file, write_atomically, write_table


class TableIOManager(dg.IOManager):
    """Stores a table, or a mapping of partition to table; loads ``TableFile`` (table and sha256)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame | Mapping[str, pl.DataFrame]) -> None:
        """Write each table to a temporary file and rename it."""
        path = list(context.asset_key.path)
        tables = obj if isinstance(obj, Mapping) else {None: obj}
        for partition, frame in tables.items():
            write_table(self.workspace.table(path, partition), frame)

    def load_input(self, context: dg.InputContext) -> TableFile | dict[str, TableFile]:
        """The stored table, or all partitions of it that the run asks for."""
        path = list(context.asset_key.path)
        if not context.has_asset_partitions:
            return read_table_file(self.workspace.table(path))
        return {p: read_table_file(self.workspace.table(path, p)) for p in context.asset_partition_keys}


class ReportIOManager(dg.IOManager):
    """Stores a report of aggregates as JSON."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def handle_output(self, context: dg.OutputContext, obj: dict[str, Any]) -> None:
        """Write the report whole."""
        data = json.dumps(obj, indent=1, sort_keys=True).encode()
        write_atomically(self.workspace.report(list(context.asset_key.path)), data)

    def load_input(self, context: dg.InputContext) -> dict[str, Any]:
        """The stored report."""
        path = self.workspace.report(list(context.asset_key.path))
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise StorageError(f"{path.name} must be a whole report, got none; materialise it again") from error
