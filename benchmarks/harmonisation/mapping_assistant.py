"""How often the assistant proposes the right concept for a column of a cohort it has not seen.

Each cohort is left out in turn. Its coded columns are given under their names in the published file, with their values; the
candidates are the coded columns of the other cohorts, and the list of common variables. Writes
``docs/benchmarks/mapping_assistant.md``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from harmonisation.assistant.candidates import Candidate, listed, of_codebook
from harmonisation.assistant.ranking import Proposal, propose
from use_cases.cohort import Cohort
from use_cases.registry import discover

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "mapping_assistant.md"
HEAD = """# Mapping assistant: the right concept for a column of an unseen cohort

Each bundled cohort is left out in turn. Its coded columns are shown to the assistant under their names in the published file
(`num_systbp`, `fac_ihd`): by name alone, with their values (levels as the codebook has them), and with values and unit.
*Codebooks*: candidates are the coded columns of the other cohorts, and only columns whose concept one of them has are
counted. Only concepts whose names are alike are *proposed*, others listed below: for how many columns the right one is, and for how
many columns whose concept no other cohort has a (false) one is. *List*: candidates are the other cohorts and the list of {listed} common variables; all coded columns are counted. The list was written with these cohorts
known to its author, so the rows *list* flatter it; the rows *codebooks* do not. Values and unit make the rows *codebooks*
worse, because one of the few cohorts with blood pressures recorded them in tens of mmHg: for the assistant another unit and
another range speak against the concept, as they should for a person who has to confirm it.

"""


FIGURES = ["first", "among", "proposed", "columns", "false", "without"]


def main() -> None:
    """Measure and write the page."""
    cohorts = [c for use_case in discover().values() for c in use_case.cohorts if c.source.bundled]
    frame = pl.DataFrame([row for cohort in cohorts for row in _measured(cohort, cohorts)])
    total = frame.group_by("candidates", "evidence", maintain_order=True).agg(pl.col(FIGURES).sum())
    total = total.with_columns(cohort=pl.lit("all")).select(frame.columns)
    lines = [
        "| cohort | candidates | evidence | right one first | among three | right one proposed | columns | false proposals |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in pl.concat([total, frame]).iter_rows(named=True) if row["columns"]),
    ]
    PAGE.write_text(HEAD.format(listed=len(listed())) + "\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[:8]))


def _line(row: dict[str, Any]) -> str:
    shares = " | ".join(f"{row[figure] / row['columns']:.0%}" for figure in ("first", "among", "proposed"))
    false = f"{row['false']} of {row['without']}" if row["without"] else "-"
    return f"| {row['cohort']} | {row['candidates']} | {row['evidence']} | {shares} | {row['columns']} | {false} |"


def _measured(cohort: Cohort, cohorts: list[Cohort]) -> Iterator[dict[str, Any]]:
    others = [found for c in cohorts if c.name != cohort.name for found in of_codebook(c.table)]
    known = {one.concept for one in others}
    frame = cohort.load()
    asked = list(of_codebook(cohort.table))
    for candidates, name in ((others, "codebooks"), ([*others, *listed()], "list")):
        for evidence in ("name", "name, values", "name, values, unit"):
            found = {one: _found(one, frame, cohort, candidates, evidence) for one in asked}
            wanted = [one for one in asked if name == "list" or one.concept in known]
            ranks = [next((i for i, p in enumerate(found[one]) if p.concept == one.concept), None) for one in wanted]
            first = {one: next((p.concept for p in ranked if p.likely), None) for one, ranked in found.items()}
            without = [one for one in asked if one not in wanted]
            yield {
                "cohort": cohort.name, "candidates": name, "evidence": evidence, "first": ranks.count(0),
                "among": len(ranks) - ranks.count(None), "proposed": sum(first[one] == one.concept for one in wanted),
                "columns": len(wanted), "false": sum(first[one] is not None for one in without), "without": len(without),
            }  # fmt: skip


def _found(
    one: Candidate, frame: pl.DataFrame, cohort: Cohort, known: list[Candidate], evidence: str
) -> list[Proposal]:
    """Three concepts for a column of the cohort, best first."""
    column = next(c for c in cohort.table.columns if one.label == c.label and one.code in c.codes.values())
    values = frame[column.name] if "values" in evidence else frame[column.name].clear()
    unit = one.unit if "unit" in evidence else None
    return propose(column.source or column.name, values, known, unit=unit)


if __name__ == "__main__":
    main()
