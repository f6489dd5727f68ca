"""Rules over suppressed cells and over several tables of the same units.

Belongs here: differencing, and suppressed cells that can be worked out. Does not belong here: rules on single cells
(``disclosure``).

References
----------
Hundepool et al. (2012), sections 4.2.4 (linked tables) and 4.3.1; Duncan, Elliot and Salazar (2011), Statistical
Confidentiality, chapter 4 (differencing).
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from hub.output_checks.disclosure import Finding, Rules
from hub.output_checks.intervals import Attacker, ContradictionError
from hub.output_checks.table import Place, Table, place_words

MOST_CELLS, MOST_GROUPS = 300, 24
SLACK = 1e-6


def check_linked(table: Table, released: Sequence[Table], rules: Rules) -> list[Finding]:
    """All findings of a table beside those that were released before."""
    found = [f for other in released for f in differences(table, other, rules)]
    return [*found, *solvable(table, released, rules)]


def differences(table: Table, other: Table, rules: Rules) -> Iterator[Finding]:
    """Two counts that belong to nearly the same units, so that their difference is a count of few."""
    words = f"its difference to table {other.name} is fewer than {rules.threshold} units; release one of the two"
    mine, theirs = table.counts(), other.counts()
    for place in sorted(mine.keys() & theirs.keys(), key=place_words):
        if _few(mine[place], theirs[place], rules):
            yield Finding("differencing", table.name, place_words(place), words)
    for variable in sorted(set(table.variables) & set(other.variables)):
        for one, two in _overlapping(_groups(variable, table, mine), _groups(variable, other, theirs)):
            if _few(one[1], two[1], rules):
                yield Finding("differencing", table.name, f"{variable} = {_range(one[0])}", words)


def solvable(table: Table, released: Sequence[Table], rules: Rules) -> list[Finding]:
    """Suppressed cells that margins or released tables leave too narrow an interval."""
    linked = [t for t in released if set(t.variables) & set(table.variables)]
    try:
        return _worked_out([table, *linked], rules)
    except ContradictionError:
        words = "the margins do not add up, so that suppressed cells cannot be checked; look at the tables"
        seen = Finding("suppression", table.name, "all suppressed cells", words, "notice" if linked else "breach")
    # Tables of other units contradict each other; this one must hold by itself.
    return [seen, *solvable(table, [], rules)] if linked else [seen]


def _worked_out(tables: Sequence[Table], rules: Rules) -> list[Finding]:
    # What is suppressed here may be published elsewhere, and the other way round: all suppressed cells are tried.
    hidden = {t.place(labels) for t in tables for labels, cell in t.cells.items() if cell.count is None}
    if len(hidden) > MOST_CELLS:
        words = f"more than {MOST_CELLS} suppressed cells are not checked; split the table"
        return [Finding("suppression", tables[0].name, "all suppressed cells", words)]
    attacker = Attacker(tables)
    known = {place: (c, c) for place in hidden if (c := attacker.known[place]) is not None}
    bounds = known | attacker.bounds(hidden - known.keys())
    exposed = {place for place in hidden if is_exposed(bounds[place], rules)} | _known_sums(tables, hidden)
    words = "the suppressed value can be worked out from margins or released tables; suppress more cells"
    return [Finding("suppression", tables[0].name, place_words(p), words) for p in sorted(exposed, key=place_words)]


def _known_sums(tables: Sequence[Table], hidden: set[Place]) -> set[Place]:
    """Suppressed sums that margins leave no choice."""
    sums = [t for t in tables if t.magnitude]
    places = {t.place(labels) for t in sums for labels in t.cells} & hidden
    if not places:
        return set()
    bounds = Attacker(sums, "sum").bounds(places)
    return {p for p, (low, high) in bounds.items() if high > SLACK and high - low <= SLACK * max(1.0, high)}


def is_exposed(bounds: tuple[float, float], rules: Rules) -> bool:
    """Whether the interval holds small counts only, or is narrower than the threshold and reaches below it."""
    low, high = bounds
    if high <= SLACK:
        return False
    return low < rules.threshold - SLACK and high - low < rules.threshold - SLACK


def _few(one: float | None, two: float | None, rules: Rules) -> bool:
    return one is not None and two is not None and SLACK < abs(one - two) < rules.threshold


Group = tuple[tuple[float, float], float]


def _groups(variable: str, table: Table, counts: dict[Place, float | None]) -> list[Group]:
    """Ranges of numbers, each alone and joined with its neighbours, with their counts."""
    level = table.levels[table.variables.index(variable)]
    alone = sorted((r, counts[frozenset({(variable, x)})]) for x in level[:MOST_GROUPS] if (r := _parsed(x)))
    found: list[Group] = []
    for start, end in combinations(range(len(alone) + 1), 2):
        run = alone[start:end]
        touching = all(a[0][1] == b[0][0] for a, b in zip(run, run[1:], strict=False))
        if touching and all(count is not None for _, count in run):
            found.append(((run[0][0][0], run[-1][0][1]), sum(count for _, count in run if count is not None)))
    return found


def _overlapping(ones: list[Group], twos: list[Group]) -> Iterator[tuple[Group, Group]]:
    """Pairs of which one range lies within the other."""
    for one in ones:
        for two in twos:
            (a, b), (c, d) = one[0], two[0]
            if (a, b) != (c, d) and ((a <= c and d <= b) or (c <= a and b <= d)):
                yield one, two


def _parsed(label: str) -> tuple[float, float] | None:
    """``18-64`` and ``18 to 64`` as [18, 65), ``65+`` as [65, inf), ``<18`` as [0, 18)."""
    text = label.replace("–", "-").replace(" ", "")
    if found := re.fullmatch(r"(\d+)(?:-|to)(\d+)", text):
        return float(found[1]), float(found[2]) + 1
    if found := re.fullmatch(r"(\d+)\+|>=(\d+)", text):
        return float(found[1] or found[2]), float("inf")
    if found := re.fullmatch(r"<(\d+)", text):
        return 0.0, float(found[1])
    return None


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g}+" if ends[1] == float("inf") else f"{ends[0]:g}-{ends[1] - 1:g}"
