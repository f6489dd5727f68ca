"""Our verdicts on 20 tables beside ACRO's: ``python -m benchmarks.output_checks``; ACRO lives in ``.peers/acro``.

Belongs here: made-up units, both programs' verdicts by cell, the table in ``docs/benchmarks/output_checks.md``. Does not belong
here: the rules (``hub.output_checks``).

    python -m venv .peers/acro && .peers/acro/bin/pip install acro==1.0.2

References
----------
Smith, Albashir, Bacon et al., ACRO: https://github.com/AI-SDC/ACRO; rules as in Hundepool et al. (2012), section 4.2.
"""

import json
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from hub.output_checks.disclosure import Rules, dominated, estimable, small
from hub.output_checks.table import Cell, Table

PEER = Path(".peers/acro/bin/python").absolute()
TARGET = Path("docs/benchmarks/output_checks.md")
# ACRO's own defaults, so that both apply the same limits.
RULES = Rules(threshold=10, n=2, k=90.0, p=10.0)
TABLES, LEVELS = 20, (3, 4)
CHECKED = ("threshold", "dominance", "p-percent")
Units = list[tuple[str, str, float]]
Verdict = dict[str, list[str]]


def units(seed: int) -> Units:
    """People of one table: few to some dozens a cell, with contributions from even to ruled by one."""
    rng = np.random.default_rng(seed)
    made: Units = []
    for a in range(LEVELS[0]):
        for b in range(LEVELS[1]):
            size = int(rng.choice([0, 2, 6, 9, 10, 11, 25, 60]))
            values = rng.lognormal(3, float(rng.choice([0.3, 1.5, 3.0])), size)
            made += [(f"r{a}", f"c{b}", float(round(value, 2))) for value in values]
    return made


def ours(rows: Units, magnitude: bool) -> Verdict:
    """Rules that each cell breaks."""
    held: dict[tuple[str, str], list[float]] = defaultdict(list)
    for a, b, value in rows:
        held[a, b].append(value)
    cells = {
        labels: Cell(
            float(len(v)), sum(v) if magnitude else None, tuple(sorted(v, reverse=True)[:2]) if magnitude else ()
        )
        for labels, v in held.items()
    }
    table = Table("t", ("a", "b"), cells)
    named = {table.words(labels): "|".join(labels) for labels in cells}
    found: dict[str, set[str]] = {name: set() for name in named.values()}
    for finding in (*small(table, RULES), *dominated(table, RULES), *estimable(table, RULES)):
        found[named[finding.cell]].add(finding.rule)
    return {name: sorted(rules) for name, rules in found.items()}


def theirs(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """ACRO's verdicts; it writes files where it runs."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(__file__).with_name("acro_verdicts.py")
        done = subprocess.run(
            [PEER, script], input=json.dumps(tables), capture_output=True, text=True, cwd=folder, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def compared(mine: Verdict, other: Verdict) -> dict[str, tuple[int, int, int]]:
    """Rule to cells that both, only we and only ACRO flag."""
    pairs = {cell: (set(rules), set(other.get(cell, []))) for cell, rules in mine.items()}
    return {
        rule: (
            sum(rule in a and rule in b for a, b in pairs.values()),
            sum(rule in a and rule not in b for a, b in pairs.values()),
            sum(rule not in a and rule in b for a, b in pairs.values()),
        )
        for rule in CHECKED
    }


def main() -> None:
    """Compare and write."""
    tables = [{"rows": units(seed), "magnitude": seed >= TABLES // 2} for seed in range(TABLES)]
    peer = theirs(tables)
    lines, total = [], {rule: np.zeros(3, int) for rule in CHECKED}
    for number, (table, other) in enumerate(zip(tables, peer["tables"], strict=True), 1):
        mine = ours(table["rows"], table["magnitude"])
        found = compared(mine, other)
        for rule in CHECKED:
            total[rule] += found[rule]
        shown = " | ".join(" / ".join(map(str, found[rule])) for rule in CHECKED)
        lines.append(f"| {number} | {'sums' if table['magnitude'] else 'counts'} | {len(mine)} | {shown} |")
    summed = " | ".join(" / ".join(map(str, total[rule])) for rule in CHECKED)
    TARGET.write_text(TEXT.format(version=peer["version"], lines="\n".join(lines), summed=summed), encoding="utf-8")
    print(TARGET.read_text(encoding="utf-8"))


TEXT = """# Output checks beside ACRO

20 tables of made-up units (3 x 4 cells, 0 to 60 units each), checked by `hub.output_checks` and by ACRO {version} in its own
environment, both with ACRO's limits (threshold 10; the 2 largest at most 90 %; p = 10 %). Each entry: cells that **both / only we /
only ACRO** flag. Empty cells are left out. `python -m benchmarks.output_checks` repeats it.

| table | of | cells | threshold | dominance | p % |
|---|---|---|---|---|---|
{lines}
| all | | | {summed} |
"""

if __name__ == "__main__":
    main()
