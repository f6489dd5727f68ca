"""How fast a cohort of a million persons becomes OMOP tables, goes to a database and comes back.

Run: ``python -m benchmarks.omop [persons]``. Writes ``docs/benchmarks/omop.md``.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from harmonisation.omop.exchange import read_omop, write_cdm
from harmonisation.omop.export import to_cdm
from harmonisation.omop.fit import default_mapping
from harmonisation.omop.reading import cohort_from_cdm
from records.schema import Column, Kind, Role, Schema

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "omop.md"
GIB = 2**20  # ru_maxrss counts KiB
NUMBERS, CATEGORIES = 10, 6


def schema() -> Schema:
    """Twenty columns: number, age, sex, ten measurements, six categories, follow-up (with its event)."""
    columns = [
        Column(name="patient_id", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        Column(name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, unit="a", minimum=18, maximum=100,
               codes={"LOINC": "30525-0"}),
        Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY,
               levels={"female": "Female", "male": "Male"}, codes={"LOINC": "76689-9"}),
        *(Column(name=f"number_{i}", label="Number", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=0, maximum=300,
                 unit="mmol/L", missing=True) for i in range(NUMBERS)),
        *(Column(name=f"category_{i}", label="Category", role=Role.COVARIATE, kind=Kind.CATEGORY,
                 levels={"0": "no", "1": "yes"}) for i in range(CATEGORIES - 1)),
        Column(name="time", label="Follow-up", role=Role.TIME, kind=Kind.INTEGER, unit="d", minimum=0, maximum=3650),
        Column(name="event", label="Event", role=Role.EVENT, kind=Kind.CATEGORY, levels={"0": "censored", "1": "event"}),
    ]  # fmt: skip
    return Schema(name="made", title="Made", columns=tuple(columns))


def table(rows: int) -> pl.DataFrame:
    """Random values, one in ten numbers missing."""
    rng = np.random.default_rng(7)
    made: dict[str, Any] = {"patient_id": [f"{i:08x}" for i in rng.permutation(rows)]}
    for column in schema().columns[1:]:
        if column.levels:
            made[column.name] = (
                pl.Series(rng.integers(0, 2, rows)).replace_strict([0, 1], list(column.levels)).cast(column.dtype)
            )
        elif column.kind is Kind.INTEGER:
            made[column.name] = rng.integers(int(column.minimum or 0), int(column.maximum or 1), rows)
        else:
            values = rng.uniform(0, 300, rows).round(1)
            made[column.name] = pl.Series(np.where(rng.random(rows) < 0.1, np.nan, values)).fill_nan(None)
    return pl.DataFrame(made)


def steps(rows: int, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The steps in their order; each keeps what the next needs."""
    frame, meaning = table(rows), schema()
    mapping, kept = default_mapping(meaning), {}

    def exported() -> None:
        kept["cdm"] = to_cdm(frame, meaning, mapping)

    def returned() -> None:
        assert cohort_from_cdm(kept["cdm"], meaning, mapping).equals(frame.sort("patient_id"))

    yield "cohort to OMOP tables, in memory", exported
    yield "OMOP tables to cohort, in memory, compared", returned
    for kind in ("duckdb", "sqlite"):
        url = f"{kind}:///{folder}/{kind}.db"
        yield f"OMOP tables to {kind}", lambda url=url: write_cdm(kept["cdm"], url, cohort=mapping.cohort)
        yield f"cohort from {kind}", lambda url=url: read_omop(url, meaning, mapping)


def main(rows: int) -> None:
    """Measure and write the page."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, work in steps(rows, Path(folder)):
            start, busy = time.perf_counter(), time.process_time()
            work()
            busy = time.process_time() - busy
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
            lines.append(f"| {name} | {time.perf_counter() - start:.1f} | {busy:.1f} | {peak:.1f} |")
            print(lines[-1], flush=True)
            write(rows, lines)


def write(rows: int, lines: list[str]) -> None:
    """The page with what was measured so far."""
    head = f"""# OMOP: time and memory

{rows:,} persons x {len(schema().columns)} columns, two cores that others used too (processor seconds tell the work); made by `python -m benchmarks.omop {rows}`. Memory is the
highest of the process so far, so it only grows from step to step. Databases are on local disk, with the model's indexes.

| step | seconds | processor seconds | GiB |
|---|---:|---:|---:|
"""
    PAGE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
