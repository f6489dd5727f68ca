"""Loss and seconds to k-anonymity: ``python -m benchmarks.anonymity SHARED_DATA [PEER_PYTHON]``.

Belongs here: our search beside anjana and a greedy full-domain search (Datafly: the column with most values goes up one
level) on the same hierarchies, k and limit of suppression, each judged by the same loss; and the whole way of a table
of a million rows. The peer has an environment of its own: ``python -m venv .peers/anjana && .peers/anjana/bin/pip
install anjana==1.2.3``.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from deidentification.anonymity.classes import Classes, Judgement, compress, judged
from deidentification.anonymity.codebook_hierarchies import codebook_hierarchy
from deidentification.anonymity.hierarchy import Hierarchy
from deidentification.anonymity.lattice import search
from deidentification.anonymity.models import Anonymity
from deidentification.table import deidentify_table
from records.date_reading import read_dates
from records.schema import Column, Kind, Role, Schema

PAGE = Path("docs/benchmarks/anonymity.md")
PEER = Path(__file__).with_name("anonymity_peer.py")
KS, SUPPRESSIONS = (5, 11), (0.02, 0.05)
ROWS = 1_000_000
PATIENCE = 600


def quasi(name: str, kind: Kind, **more) -> Column:
    return Column(name=name, label=name, role=Role.QUASI_IDENTIFIER, kind=kind, **more)


def levels_of(values: pl.Series) -> dict[str, str]:
    return {str(v): str(v) for v in values.unique().drop_nulls().sort()}


def trial(folder: Path) -> tuple[pl.DataFrame, list[Column]]:
    """International Stroke Trial: age, sex, hospital, month of randomisation."""
    raw = pl.read_parquet(folder / "ist.parquet")
    months = read_dates(raw["RDATE"], earliest=date(1991, 1, 1), latest=date(1996, 12, 31)).dates
    table = pl.DataFrame({
        "age": raw["AGE"].cast(pl.Int64), "sex": raw["SEX"], "hospital": raw["HOSPNUM"].cast(pl.String),
        "month": (months.dt.year().cast(pl.Int64) - 1991) * 12 + months.dt.month() - 1,
    })  # fmt: skip
    return table, [
        quasi("age", Kind.INTEGER, unit="a", minimum=15, maximum=120),
        quasi("sex", Kind.CATEGORY, levels=levels_of(table["sex"])),
        quasi("hospital", Kind.CATEGORY, levels=levels_of(table["hospital"])),
        quasi("month", Kind.INTEGER, minimum=0, maximum=71),
    ]


def support(folder: Path) -> tuple[pl.DataFrame, list[Column]]:
    """SUPPORT2: age in whole years, sex, race, income, years of education, disease group."""
    raw = pl.read_csv(folder / "support2.csv.gz", infer_schema_length=None, null_values="missing")
    table = raw.select(
        age=pl.col("num_age").floor().cast(pl.Int64), sex="fac_sex", race="fac_race", income="fac_income",
        education=pl.col("num_edu").cast(pl.Int64), disease="fac_dzgroup",
    )  # fmt: skip
    races = {"asian": "other", "hispanic": "other", "black": "other"}
    named = [quasi(n, Kind.CATEGORY, levels=levels_of(table[n]), missing=True) for n in ("sex", "income", "disease")]
    return table, [
        quasi("age", Kind.INTEGER, unit="a", minimum=18, maximum=110),
        quasi("race", Kind.CATEGORY, levels=levels_of(table["race"]), groups=races, missing=True),
        quasi("education", Kind.INTEGER, minimum=0, maximum=31, missing=True),
        *named,
    ]


def greedy(classes: Classes, hierarchies: Sequence[Hierarchy], demand: Anonymity) -> tuple[int, ...]:
    """Datafly (Sweeney, 2002): while too many rows are below k, the column with most values goes up a level."""
    node, limit = (0,) * len(hierarchies), demand.suppression * classes.rows.sum()
    while judged(classes, hierarchies, node, demand, ())[0].suppressed > limit:
        sizes = [
            len(h.levels[i].labels) if i + 1 < len(h.levels) else 0 for h, i in zip(hierarchies, node, strict=True)
        ]
        most = int(np.argmax(sizes))
        node = tuple(place + (i == most) for i, place in enumerate(node))
    return node


def peer(
    python: Path, table: pl.DataFrame, hierarchies: Sequence[Hierarchy], demand: Anonymity
) -> tuple[tuple[int, ...], float] | None:
    """The node that anjana ends at, and its seconds; ``None`` if it fails or takes over ten minutes."""
    written = {h.column: pl.Series(h.levels[0].labels).gather(pl.Series(h.codes(table[h.column]))) for h in hierarchies}
    asked = {
        "k": demand.k, "suppression": demand.suppression,
        "hierarchies": {
            h.column: {i: [level.labels[g] for g in level.groups] for i, level in enumerate(h.levels)} for h in hierarchies
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        pl.DataFrame(written).write_csv(Path(name) / "table.csv")
        (Path(name) / "asked.json").write_text(json.dumps(asked))
        try:
            done = subprocess.run([python, PEER, name], capture_output=True, text=True, check=True, timeout=PATIENCE)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
    told = json.loads(done.stdout.splitlines()[-1])
    return tuple(told["levels"][h.column] for h in hierarchies), told["seconds"]


def compared(name: str, table: pl.DataFrame, columns: list[Column], python: Path | None) -> Iterator[str]:
    """Rows of the page for one table."""
    schema = Schema(name="b", title="b", columns=tuple(columns))
    table = table.cast(schema.polars())  # type: ignore[arg-type]
    hierarchies = [codebook_hierarchy(c, table[c.name]) for c in columns]
    for k in KS:
        for suppression in SUPPRESSIONS:
            demand = Anonymity(k, suppression=suppression)
            start = time.process_time()
            classes, _ = compress([h.codes(table[h.column]) for h in hierarchies], ())
            found = search(classes, hierarchies, demand, ())
            seconds = time.process_time() - start
            assert found is not None
            yield _row(name, demand, "ours (optimal)", found.node, found.judgement, seconds, hierarchies)
            start = time.process_time()
            node = greedy(classes, hierarchies, demand)
            seconds = time.process_time() - start
            results: dict[str, tuple[tuple[int, ...], float] | None] = {"greedy (Datafly)": (node, seconds)}
            if python is not None:
                results["anjana 1.2.3"] = peer(python, table, hierarchies, demand)
            for method, result in results.items():
                if result is None:
                    yield f"| {name} | {k} | {suppression:g} | {method} | - | - | failed or over {PATIENCE} s | |"
                else:
                    judgement = judged(classes, hierarchies, result[0], demand, ())[0]
                    yield _row(name, demand, method, result[0], judgement, result[1], hierarchies)


def _row(
    name: str, demand: Anonymity, method: str, node: tuple[int, ...], judgement: Judgement, seconds: float,
    hierarchies: Sequence[Hierarchy],
) -> str:  # fmt: skip
    levels = ", ".join(f"{h.column}: {h.levels[i].name}" for h, i in zip(hierarchies, node, strict=True))
    return (
        f"| {name} | {demand.k} | {demand.suppression:g} | {method} | {judgement.loss:.4f} | {judgement.suppressed:,} | "
        f"{seconds:.2f} | {levels} |"
    )


def million() -> tuple[pl.DataFrame, Schema]:
    """A generated table of 20 columns, 6 of them quasi-identifiers, that no patient stands behind."""
    rng = np.random.default_rng(7)
    regions = [
        f"{c}{a}{b}{d}" for c in ("FI", "SE", "ES", "IT", "BE", "PT") for a in "123" for b in "123" for d in "123"
    ]
    codes = [f"{c}{i:02d}.{j}" for c in "CEFGIJK" for i in range(0, 90, 3) for j in (0, 9)]
    hospitals = {str(i): str(i) for i in range(40)}
    yes = {"0": "no", "1": "yes"}
    columns = [
        Column(name="patient", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
        quasi("age", Kind.INTEGER, unit="a", minimum=0, maximum=120, top_code=90),
        quasi("sex", Kind.CATEGORY, levels={"f": "f", "m": "m"}),
        quasi("region", Kind.TEXT, codes={"NUTS": "2021"}),
        quasi("diagnosis", Kind.TEXT, codes={"ICD-10": "2019"}),
        quasi("month", Kind.INTEGER, minimum=0, maximum=59),
        Column(name="hospital", label="Hospital", role=Role.SITE, kind=Kind.CATEGORY, levels=hospitals),
        *(Column(name=f"lab_{i}", label="Lab", role=Role.COVARIATE, kind=Kind.NUMBER, minimum=-10, maximum=10) for i in range(7)),
        *(Column(name=f"yes_{i}", label="Yes", role=Role.COVARIATE, kind=Kind.CATEGORY, levels=yes) for i in range(6)),
    ]  # fmt: skip
    table = {
        "patient": [f"P{i:08d}" for i in rng.permutation(ROWS)],
        "age": np.clip(rng.normal(68, 14, ROWS).astype(int), 0, 100), "sex": rng.choice(["f", "m"], ROWS),
        "region": rng.choice(regions, ROWS, p=rng.dirichlet(np.ones(len(regions)))),
        "diagnosis": rng.choice(codes, ROWS, p=rng.dirichlet(np.full(len(codes), 0.4))),
        "month": rng.integers(0, 60, ROWS), "hospital": rng.integers(0, 40, ROWS).astype(str),
        **{f"lab_{i}": rng.normal(size=ROWS) for i in range(7)},
        **{f"yes_{i}": rng.integers(0, 2, ROWS).astype(str) for i in range(6)},
    }  # fmt: skip
    return pl.DataFrame(table), Schema(name="million", title="Million", columns=tuple(columns))


def whole_way() -> str:
    """Seconds and peak memory of ``deidentify_table`` on the generated table: scan, pseudonyms, search, files."""
    table, schema = million()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "million.parquet"
        table.write_parquet(source)
        del table
        start, laps = time.perf_counter(), [time.process_time()]
        report = deidentify_table(
            source,
            Path(name) / "out.parquet",
            schema,
            Anonymity(k=5),
            key=b"k" * 32,
            tell=lambda _: laps.append(time.process_time()),
        )
        wall = time.perf_counter() - start
    scan, names, search_ = (b - a for a, b in zip(laps[1:], laps[2:], strict=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = report.anonymity
    levels = ", ".join(f"{n}: {level}" for n, level in found.levels.items())
    return (
        f"{report.rows:,} rows x {len(schema.columns)} columns, 6 quasi-identifiers, k = 5, 2 % suppression: "
        f"**{laps[-1] - laps[0]:.0f} s of processor time, {peak:.2f} GiB** at most ({wall:.0f} s on the clock at a load of "
        f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; reading, scan and validation {scan:.0f} s, pseudonyms and dates "
        f"{names:.0f} s, search, generalising and writing {search_:.0f} s); {found.judged} of {found.nodes} nodes "
        f"judged, loss {found.loss:.3f}, {found.suppressed:,} rows suppressed ({levels})."
    )


def page(whole: str, rows: Sequence[str]) -> str:
    """The page as Markdown."""
    lines = [
        "# Anonymity: loss and seconds", "",
        "Made by `python -m benchmarks.anonymity`. Loss is the normalised certainty penalty over all cells of the quasi-",
        "identifiers, suppressed rows losing all; the same function judges what each method chose, on the same hierarchies.",
        "IST: age, sex, hospital, month (19,435 patients, 94.3 % of them unique). SUPPORT2: age, race, education, sex,",
        "income, disease (9,105 patients).", "", "## A million rows", "", whole, "", "## Beside peers", "",
        "| table | k | suppression limit | method | loss | rows suppressed | processor seconds | levels |",
        "|---|---|---|---|---|---|---|---|", *rows, "",
    ]  # fmt: skip
    return "\n".join(lines)


def main(folder: Path, python: Path | None) -> None:
    """Write the page, the million rows in a process of their own, so that peak memory is theirs."""
    if folder.name == "whole-way":
        print(whole_way())
        return
    asked = [sys.executable, "-m", "benchmarks.anonymity", "whole-way"]
    whole = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    tables = {"IST": trial, "SUPPORT2": support}
    rows = [row for name, read in tables.items() for row in compared(name, *read(folder), python)]
    PAGE.write_text(page(whole, rows), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
