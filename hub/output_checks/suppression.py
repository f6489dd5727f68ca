"""Primary and complementary suppression.

Belongs here: choosing cells to leave out. Does not belong here: judging a table that was made elsewhere (``linked``).

The choice is greedy, not least-cost: each unprotected cell is joined by the smallest published cell of its margins, until
no feasibility interval of a small cell is narrower than the threshold.

References
----------
Hundepool et al. (2012), section 4.3 (cell suppression, protection levels); Castro (2012), Recent advances in optimization
techniques for statistical tabular data protection, European Journal of Operational Research 216(2).
"""

from collections.abc import Set
from dataclasses import replace

from hub.output_checks.disclosure import Rules, is_dominated, is_estimable
from hub.output_checks.intervals import Attacker
from hub.output_checks.linked import is_exposed
from hub.output_checks.table import Cell, Labels, Place, Table, is_total

GONE = Cell(None)


def suppressed(table: Table, rules: Rules) -> Table:
    """The table without its small or dominated cells, and without as many others as their protection needs."""
    places = {table.place(labels): labels for labels in table.cells}
    primary = {table.place(labels) for labels, cell in table.cells.items() if is_primary(cell, rules)}
    chosen: set[Place] = set(primary)
    attacker, sums = Attacker([table]), Attacker([table], "sum") if table.magnitude else None
    while exposed := _exposed(attacker, primary, chosen, rules) or _narrow(sums, primary, chosen, rules):
        partner = _partner(attacker, places, exposed, chosen)
        if partner is None:
            chosen = set(places)
            break
        chosen.add(partner)
    return _without(table, {places[place] for place in chosen})


def is_primary(cell: Cell, rules: Rules) -> bool:
    """Whether a cell breaks a rule by itself."""
    if cell.count is None:
        return True
    return 0 < cell.count < rules.threshold or is_dominated(cell, rules) or is_estimable(cell, rules)


def _exposed(attacker: Attacker, primary: Set[Place], chosen: Set[Place], rules: Rules) -> Place | None:
    for place in sorted(primary, key=sorted):
        if is_exposed(attacker.bounds([place], chosen)[place], rules):
            return place
    return None


def _narrow(sums: Attacker | None, primary: Set[Place], chosen: Set[Place], rules: Rules) -> Place | None:
    """A suppressed sum whose interval is narrower than p % of it."""
    for place in sorted(primary, key=sorted) if sums else ():
        low, high = sums.bounds([place], chosen)[place]  # type: ignore[union-attr]
        value = sums.known[place]  # type: ignore[union-attr]
        if value and high - low < rules.p / 100 * value:
            return place
    return None


def _partner(attacker: Attacker, places: dict[Place, Labels], exposed: Place, chosen: Set[Place]) -> Place | None:
    """A published cell of a margin with one hidden cell only, which gives it away; else a neighbour of the exposed one.

    Cells that serve many such margins come first, then small ones; empty cells and totals come last.
    """
    terms = [frozenset((margin, *parts)) for margin, parts in attacker.equations]
    single = [t for t in terms if len(hidden := {p for p in t if p in chosen or attacker.known[p] is None}) == 1
              and hidden <= chosen]  # fmt: skip
    lines = single or [t for t in terms if exposed in t]

    def cost(place: Place) -> tuple[bool, bool, int, float, list[tuple[str, str]]]:
        count = attacker.known[place] or 0.0
        serves = sum(place in line for line in lines)
        return any(map(is_total, places[place])), count == 0, -serves, count, sorted(place)

    free = [p for p in frozenset().union(*lines) & places.keys() if p not in chosen]
    return min(free or [p for p in places if p not in chosen], key=cost, default=None)


def _without(table: Table, labels: Set[Labels]) -> Table:
    cells = {key: GONE if key in labels else cell for key, cell in table.cells.items()}
    return replace(table, cells=cells)
