"""How often the assistant proposes the right concept for a column of a cohort it has not seen.

Each cohort is left out in turn. Its coded columns are given under their names in the published file, with their values; the
candidates are the coded columns of the other cohorts, and the list of common variables. Writes
``docs/benchmarks/mapping_assistant.md``.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from harmonisation.assistant.candidates import Candidate, listed, of_codebook
from harmonisation.assistant.ranking import propose
from use_cases.cohort import Cohort
from use_cases.registry import discover

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "mapping_assistant.md"
HEAD = """# Mapping assistant: the right concept for a column of an unseen cohort

Each bundled cohort is left out in turn. Its coded columns are shown to the assistant under their names in the published file
(`num_systbp`, `fac_ihd`): by name alone, with their values (levels as the codebook has them), and with values and unit.
*Codebooks*: candidates are the coded columns of the other cohorts, and only columns whose concept one of them has are
counted. *List*: candidates are the other cohorts and the list of {listed} common variables; all coded columns are counted. The list was written with these cohorts
known to its author, so the rows *list* flatter it; the rows *codebooks* do not. Values and unit make the rows *codebooks*
worse, because one of the few cohorts with blood pressures recorded them in tens of mmHg: for the assistant another unit and
another range speak against the concept, as they should for a person who has to confirm it.

"""


def main() -> None:
    """Measure and write the page."""
    cohorts = [c for use_case in discover().values() for c in use_case.cohorts if c.source.bundled]
    rows = [row for cohort in cohorts for row in _measured(cohort, cohorts)]
    frame = pl.DataFrame(rows, orient="row", schema=["cohort", "candidates", "evidence", "first", "among", "columns"])
    total = (
        frame.group_by("candidates", "evidence", maintain_order=True)
        .agg(pl.col("first", "among", "columns").sum())
        .with_columns(cohort=pl.lit("all"))
    )
    shown = pl.concat([total.select(frame.columns), frame]).filter(pl.col("columns") > 0)
    lines = [
        "| cohort | candidates | evidence | right one first | among three | columns |",
        "|---|---|---|---|---|---|",
    ]
    for cohort, known, evidence, first, among, columns in shown.iter_rows():
        lines.append(f"| {cohort} | {known} | {evidence} | {first / columns:.0%} | {among / columns:.0%} | {columns} |")
    PAGE.write_text(HEAD.format(listed=len(listed())) + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[:8]))


def _measured(cohort: Cohort, cohorts: list[Cohort]) -> Iterator[tuple[str, str, str, int, int, int]]:
    others = [found for c in cohorts if c.name != cohort.name for found in of_codebook(c.table)]
    known = {one.concept for one in others}
    frame = cohort.load()
    asked = list(of_codebook(cohort.table))
    for candidates, name in ((others, "codebooks"), ([*others, *listed()], "list")):
        wanted = [one for one in asked if name == "list" or one.concept in known]
        for evidence in ("name", "name, values", "name, values, unit"):
            ranks = [_rank(one, frame, cohort, candidates, evidence) for one in wanted]
            yield cohort.name, name, evidence, sum(r == 1 for r in ranks), sum(0 < r <= 3 for r in ranks), len(ranks)


def _rank(one: Candidate, frame: pl.DataFrame, cohort: Cohort, known: list[Candidate], evidence: str) -> int:
    """Place of the right concept among three proposals; 0 if it is not there."""
    column = next(c for c in cohort.table.columns if one.label == c.label and one.code in c.codes.values())
    values = frame[column.name] if "values" in evidence else frame[column.name].clear()
    unit = one.unit if "unit" in evidence else None
    found = propose(column.source or column.name, values, known, unit=unit)
    return next((place for place, proposal in enumerate(found, start=1) if proposal.concept == one.concept), 0)


if __name__ == "__main__":
    main()
