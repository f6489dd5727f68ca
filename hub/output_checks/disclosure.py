"""The rules of disclosure control on one table.

Belongs here: threshold, dominance, p% and class disclosure, each as findings in words. Does not belong here: several
tables (``linked``), finding cells to suppress (``suppression``).

References
----------
Hundepool et al. (2012), Statistical Disclosure Control, Wiley, sections 4.2.1 (threshold), 4.2.2 (dominance and p%) and
4.2.5 (group disclosure); Eurostat's Handbook on Statistical Disclosure Control, 2nd ed., chapter 4; Regulation (EU)
2025/327, Articles 61(4) and 73(2): only anonymous results leave the secure processing environment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from hub.output_checks.table import Cell, Labels, Table, is_total
from records.errors import ParameterError


@dataclass(frozen=True)
class Rules:
    """Limits: cells of at least ``threshold`` units; the ``n`` largest hold at most ``k`` %; nobody is known within ``p`` %."""

    threshold: int = 10
    n: int = 2
    k: float = 85.0
    p: float = 15.0

    def __post_init__(self) -> None:
        if self.threshold < 2 or self.n < 1 or not 0 < self.k < 100 or not self.p > 0:
            raise ParameterError(
                f"rules must have a threshold of 2 or more, n of 1 or more, k in (0, 100) and p above 0, got {self}"
                "; choose others"
            )


@dataclass(frozen=True)
class Finding:
    """One thing to look at. A ``breach`` must be mended or justified; a ``notice`` needs a reviewer's eye."""

    rule: str
    table: str
    cell: str
    words: str
    weight: Literal["breach", "notice"] = "breach"


def check(table: Table, rules: Rules) -> list[Finding]:
    """All findings of one table."""
    return [*small(table, rules), *dominated(table, rules), *estimable(table, rules), *classes(table)]


def small(table: Table, rules: Rules) -> Iterator[Finding]:
    """Cells with at least one unit and fewer than the threshold."""
    words = f"fewer than {rules.threshold} units; suppress the cell or join categories"
    for labels, cell in table.cells.items():
        if cell.count is not None and 0 < cell.count < rules.threshold:
            yield Finding("threshold", table.name, table.words(labels), words)


def dominated(table: Table, rules: Rules) -> Iterator[Finding]:
    """Sums of which the ``n`` largest contributions are more than ``k`` %."""
    words = f"the {rules.n} largest contributions are more than {rules.k:g} % of the sum; suppress it"
    for labels, cell in table.cells.items():
        if _unchecked(cell, min(rules.n, int(cell.count or 0))):
            yield _unknown(table, labels)
        elif is_dominated(cell, rules):
            yield Finding("dominance", table.name, table.words(labels), words)


def is_dominated(cell: Cell, rules: Rules) -> bool:
    """The (n, k) rule: x1 + ... + xn > k/100 X."""
    return bool(cell.sum and cell.largest) and sum(cell.largest[: rules.n]) > rules.k / 100 * cell.sum  # type: ignore[operator]


def estimable(table: Table, rules: Rules) -> Iterator[Finding]:
    """Sums from which the second largest contributor can estimate the largest within ``p`` %."""
    words = f"the largest contribution can be estimated within {rules.p:g} % by the second largest; suppress the sum"
    for labels, cell in table.cells.items():
        if is_estimable(cell, rules):
            yield Finding("p-percent", table.name, table.words(labels), words)


def is_estimable(cell: Cell, rules: Rules) -> bool:
    """The p% rule: X - x1 - x2 < p/100 x1."""
    if not cell.sum or not cell.largest:
        return False
    first, second = (*cell.largest[:2], 0.0)[:2]
    return cell.sum - first - second < rules.p / 100 * first


def classes(table: Table) -> Iterator[Finding]:
    """Full cells (all of a group have one label) and empty cells (none of a group has it)."""
    counts = table.counts()
    for i, variable in enumerate(table.variables):
        others = [(*level, "total") for j, level in enumerate(table.levels) if j != i]
        for rest in product(*others):
            if all(is_total(label) for label in rest) or len(table.levels[i]) < 2:
                continue
            line = {x: counts.get(table.place((*rest[:i], x, *rest[i:]))) for x in table.levels[i]}
            yield from _of_line(table, variable, rest, i, line)


def _of_line(
    table: Table, variable: str, rest: Labels, i: int, line: dict[str, float | None]
) -> Iterator[Finding]:  # fmt: skip
    known = {x: count for x, count in line.items() if count is not None}
    filled = [x for x, count in known.items() if count > 0]
    if len(known) < len(line) or not filled:
        return
    if len(filled) == 1:
        cell = table.words((*rest[:i], filled[0], *rest[i:]))
        yield Finding(
            "full cell", table.name, cell, f"all units of the group have the same {variable}; join categories"
        )
        return
    for x in known.keys() - set(filled):
        cell = table.words((*rest[:i], x, *rest[i:]))
        words = f"no unit of the group has this {variable}; look whether that tells something of the people in it"
        yield Finding("empty cell", table.name, cell, words, "notice")


def _unchecked(cell: Cell, needed: int) -> bool:
    return cell.sum is not None and len(cell.largest) < needed


def _unknown(table: Table, labels: Labels) -> Finding:
    words = "a sum without its largest contributions cannot be checked; add the columns largest_1, largest_2"
    return Finding("dominance", table.name, table.words(labels), words)
