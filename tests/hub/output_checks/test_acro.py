"""Cross-check of the threshold rule against ACRO, where it is installed."""

import pytest

from hub.output_checks.disclosure import Rules, small
from hub.output_checks.table import Cell, Table


def test_the_same_cells_are_small() -> None:
    acro = pytest.importorskip("acro")
    pandas = pytest.importorskip("pandas")
    sizes = {("N", "F"): 20, ("N", "M"): 9, ("S", "F"): 10, ("S", "M"): 3}
    rows = [labels for labels, n in sizes.items() for _ in range(n)]
    frame = pandas.DataFrame(rows, columns=["region", "sex"])
    session = acro.ACRO(suppress=True)
    crossed = session.crosstab(frame["region"], frame["sex"])
    table = Table("t", ("region", "sex"), {labels: Cell(float(n)) for labels, n in sizes.items()})
    mine = {f.cell for f in small(table, Rules())}
    theirs = {table.words((r, s)) for r, s in sizes if pandas.isna(crossed.loc[r, s])}
    assert mine == theirs
