"""Rules against examples worked out by hand, and laws over random tables."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hub.output_checks.disclosure import Finding, Rules, check, is_dominated, is_estimable
from hub.output_checks.linked import check_linked, solvable
from hub.output_checks.reading import read_csv
from hub.output_checks.suppression import suppressed
from hub.output_checks.table import Cell, Table
from records.errors import ParameterError

RULES = Rules()


def crossed(text: str) -> Table:
    return read_csv("t.csv", text.encode())


def cells_of(found: list[Finding], rule: str) -> set[str]:
    return {f.cell for f in found if f.rule == rule}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Two-way tables with all margins."""
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(2, 4))
    inner = np.array(draw(st.lists(st.integers(0, 60), min_size=rows * columns, max_size=rows * columns)))
    inner = inner.reshape(rows, columns)
    whole = np.block([[inner, inner.sum(1, keepdims=True)], [inner.sum(0, keepdims=True), inner.sum(keepdims=True)]])
    names = ([f"r{i}" for i in range(rows)] + ["total"], [f"c{i}" for i in range(columns)] + ["total"])
    labels = list(product(*names))
    return Table("t", ("row", "column"), {x: Cell(float(n)) for x, n in zip(labels, whole.ravel(), strict=True)})


def test_cells_below_the_threshold_are_named_by_their_labels() -> None:
    found = check(crossed("region,F,M\nN,20,9\nS,10,41\n"), RULES)
    assert cells_of(found, "threshold") == {"region = N, column = M"}


@given(tables())
def test_a_table_without_breaches_has_no_small_cell(table: Table) -> None:
    if not check(table, RULES):
        assert all(cell.count == 0 or (cell.count or 0) >= 10 for cell in table.cells.values())


@pytest.mark.parametrize(
    ("total", "largest", "dominated", "estimable"),
    [
        # (2, 85): 80 + 6 = 86 > 85. p% with 15: what is left, 14, is at least 12 = 15 % of 80, so it is safe.
        (100, (80, 6), True, False),
        # 50 + 35 = 85, which is not more than 85; 15 is at least 7.5.
        (100, (50, 35), False, False),
        # 90 + 5 = 95; 5 is less than 13.5.
        (100, (90, 5), True, True),
        # Evenly spread.
        (100, (10, 10), False, False),
        # One contributor alone: all of the sum.
        (100, (100,), True, True),
        # Equality at 15 %: 12 is not less than 15 % of 80.
        (100, (80, 8), True, False),
    ],
)
def test_dominance_and_p_percent_by_hand(
    total: float, largest: tuple[float, ...], dominated: bool, estimable: bool
) -> None:
    cell = Cell(50, total, largest)
    assert (is_dominated(cell, RULES), is_estimable(cell, RULES)) == (dominated, estimable)


def test_a_sum_without_its_contributions_is_a_breach() -> None:
    found = check(crossed("region,count,sum\nN,20,900\n"), RULES)
    assert cells_of(found, "dominance") == {"region = N"}


def test_full_and_empty_cells() -> None:
    found = check(crossed("ward,positive,negative,unknown\nA,30,0,0\nB,20,30,0\nC,20,30,40\n"), RULES)
    assert cells_of(found, "full cell") == {"ward = A, column = positive", "ward = C, column = unknown"}
    assert "ward = B, column = unknown" in cells_of(found, "empty cell")


def test_a_single_suppressed_cell_is_worked_out_from_its_margins() -> None:
    table = crossed("region,F,M,total\nN,20,30,50\nS,*,41,45\nW,33,12,45\ntotal,57,83,140\n")
    assert {f.cell for f in solvable(table, [], RULES)} == {"column = F, region = S"}


def test_a_released_table_gives_a_suppressed_cell_away() -> None:
    first = crossed("region,F,M\nN,20,30\nS,*,41\nW,33,12\n")
    assert not solvable(first, [], RULES)
    second = crossed("region,count\nN,50\nS,45\nW,45\n")
    assert {f.cell for f in check_linked(second, [first], RULES)} == {"column = F, region = S"}


def test_differencing_of_the_same_and_of_neighbouring_groups() -> None:
    first = crossed("age,count\n0-19,100\n20-39,200\n")
    later = crossed("age,count\n0-20,104\n21-39,196\n")
    assert cells_of(check_linked(later, [first], RULES), "differencing") == {"age = 0-20", "age = 21-39"}
    without_one = crossed("age,count\n0-19,99\n20-39,200\n")
    assert "age = 0-19" in cells_of(check_linked(without_one, [first], RULES), "differencing")
    other_people = crossed("age,count\n0-19,500\n20-39,700\n")
    assert not check_linked(other_people, [first], RULES)


@settings(max_examples=40, deadline=None)
@given(tables())
def test_suppression_cannot_be_solved_back(table: Table) -> None:
    """Own linear programs over the original margins: each small cell keeps an interval as wide as the threshold."""
    kept = suppressed(table, RULES)
    assert not [f for f in check(kept, RULES) if f.rule == "threshold"]
    assert not solvable(kept, [], RULES)
    order = list(table.cells)
    at = {labels: i for i, labels in enumerate(order)}
    rows, right = [], []
    for labels in order:
        for axis in (0, 1):
            if labels[axis] == "total":
                row = np.zeros(len(order))
                row[at[labels]] = -1
                for inner in table.levels[axis]:
                    row[at[(inner, labels[1]) if axis == 0 else (labels[0], inner)]] = 1
                rows.append(row)
                right.append(0.0)
    limits = [(0, None) if kept.cells[x].count is None else (table.cells[x].count,) * 2 for x in order]
    for labels, cell in table.cells.items():
        if cell.count and cell.count < RULES.threshold:
            objective = np.eye(len(order))[at[labels]]
            low = linprog(objective, A_eq=np.array(rows), b_eq=right, bounds=limits)
            high = linprog(-objective, A_eq=np.array(rows), b_eq=right, bounds=limits)
            assert high.status == 3 or -high.fun - low.fun >= RULES.threshold - 1e-6


def test_suppression_leaves_a_safe_table_whole() -> None:
    table = crossed("region,F,M,total\nN,20,30,50\nS,40,41,81\ntotal,60,71,131\n")
    assert suppressed(table, RULES) == table


def test_suppression_hides_a_rectangle_and_no_margin() -> None:
    kept = suppressed(crossed("r,F,M,total\nN,20,30,50\nS,4,41,45\nW,33,12,45\ntotal,57,83,140\n"), RULES)
    assert {labels for labels, c in kept.cells.items() if c.count is None} == {
        ("S", "F"), ("S", "M"), ("W", "F"), ("W", "M"),
    } or {labels for labels, c in kept.cells.items() if c.count is None} == {
        ("S", "F"), ("S", "M"), ("N", "F"), ("N", "M"),
    }  # fmt: skip


def test_a_dominated_sum_cannot_be_worked_out() -> None:
    text = "r,c,count,sum,largest_1,largest_2\n"
    text += "a,x,20,100,90,5\na,y,20,100,10,9\na,total,40,200,90,10\nb,x,20,80,9,9\nb,y,20,70,9,9\nb,total,40,150,9,9\n"
    text += "total,x,40,180,90,9\ntotal,y,40,170,10,9\ntotal,total,80,350,90,10\n"
    kept = suppressed(crossed(text), RULES)
    assert kept.cells["a", "x"].count is None
    assert not solvable(kept, [], RULES)
    assert not [f for f in check(kept, RULES) if f.weight == "breach"]


def test_rules_out_of_range_are_refused() -> None:
    with pytest.raises(ParameterError, match="threshold of 2"):
        Rules(threshold=1)


def test_findings_tell_labels_and_no_counts() -> None:
    found = check(crossed("region,F,M\nN,7,3\nS,10,41\n"), Rules())
    assert found
    assert not any("7" in f.words or "3" in f.words for f in found if f.rule == "threshold")
