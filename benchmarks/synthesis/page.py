"""The benchmark as a page of tables.

Belongs here: means and seeds' intervals of stored results. Does not belong here: running, the picture (``picture``).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import t as student

from benchmarks.synthesis.picture import save_picture

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
FIGURES = {
    "tstr": "TSTR AUC",
    "tvd2": "mean TVD2",
    "tvd2_max": "max TVD2",
    "km_gap": "KM gap",
    "membership_auc": "membership AUC",
}
HEAD = ["synthesizer", "epsilon", "seeds", *FIGURES.values(), "CPU s", "MiB"]
WORDS = """# Synthesizers on the same splits, grid, scorer and machine

Made by `make bench-synthesis`. TSTR: gradient boosting trained on synthetic rows, tested on held-out real patients; the
row `real` is trained on real patients, so its TSTR is TRTR. TVD2: total variation distance of pairs of columns from
held-out patients; the row `real` is the floor that other real patients reach, `independent` has each column shuffled.
KM gap: mean absolute difference of survival. Membership AUC: density-ratio attack on as many training as held-out
patients; 0.5 is guessing, `real` (copies) about 1. Delta 1e-5; one thread; split seed 0, mean over noise seeds with the
95 % half-width of the mean; best TSTR first.

- Ours: `auto`, `aim`, `mst`, `star`, `transformer`; without privacy also `trees` and `copula`. All others are peers, each in its own environment.
- Every peer learns the same table of level numbers on the public grid of the codebook, and its rows are turned back into
  values by the same code. How numbers were declared to a peer is said in `benchmarks/synthesis/peers/run_*.py`.
- Epsilon as asked: OpenDP and ours convert it to zCDP exactly, smartnoise and dpmm by themselves. smartnoise takes
  levels and the number of rows from the data, which its epsilon does not cover. Epsilon none: no privacy guarantee.
- OpenDP 0.16 and smartnoise 1.0.8 pin mbi 1.1, which couples independent columns as it draws rows (mended in mbi 2,
  which they do not accept). Here they draw as mbi was meant to (`peers/drawing.py`); rows named `released` are the
  peers as installed.
- Limit: {limit} s of CPU per run. Memory is that of the whole process: ours includes reading and scoring libraries.
"""


def write_page(results: pl.DataFrame, folder: Path = DOCS, *, limit: int) -> None:
    """Write ``synthesis.md`` and ``synthesis.png``; ``limit`` in seconds of processor time."""
    lines = [WORDS.format(limit=limit)]
    for cohort, part in results.group_by("cohort", maintain_order=True):
        lines += [f"## {cohort[0]}", "", *table(part), ""]
    lines += ["![TSTR and TVD2 against epsilon](synthesis.png)", ""]
    (folder / "synthesis.md").write_text("\n".join(lines), encoding="utf-8")
    save_picture(results, folder / "synthesis.png")


def table(part: pl.DataFrame) -> list[str]:
    """Lines of one cohort's table: epsilon rising, no privacy last, then by TSTR; failed peers with their reason."""
    groups = part.group_by("synthesizer", "epsilon").agg(pl.all()).with_columns(
        pl.col("epsilon").replace(0.0, None).alias("order"), pl.col("tstr").list.mean().alias("mean")
    )  # fmt: skip
    ranked = groups.sort("order", "mean", "synthesizer", descending=[False, True, False], nulls_last=True)
    rows = [_cells(row) for row in ranked.iter_rows(named=True)]
    return [f"| {' | '.join(cells)} |" for cells in (HEAD, ["---"] * len(HEAD), *rows)]


def _cells(row: dict) -> list[str]:
    errors = [error for error in row["error"] if error]
    done = len(row["error"]) - len(errors)
    seeds = f"{done} of {len(row['error'])}" if errors else f"{done}"
    cells = [row["synthesizer"], f"{row['epsilon']:g}" if row["epsilon"] else "none", seeds]
    if not done:
        return [*cells, errors[0].replace("|", "/"), *[""] * (len(HEAD) - len(cells) - 1)]
    return [*cells, *(_interval(row[name]) for name in FIGURES), _mean(row["cpu_s"], ".1f"), _mean(row["mib"], ".0f")]


def _interval(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return f"{known[0]:.3f}" if known else "-"
    half = float(student.ppf(0.975, len(known) - 1)) * np.std(known, ddof=1) / np.sqrt(len(known))
    return f"{np.mean(known):.3f} ± {half:.3f}"


def _mean(values: Sequence[float | None], form: str) -> str:
    known = [v for v in values if v is not None]
    return format(np.mean(known), form) if known else "-"
