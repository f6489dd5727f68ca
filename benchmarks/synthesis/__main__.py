"""``python -m benchmarks.synthesis``: run what is missing, then write the table and the plot.

Belongs here: the plan and its progress. Does not belong here: how one entry runs (``entry``).
"""

import argparse
import itertools
import multiprocessing

import polars as pl
from rich.progress import track

from benchmarks.synthesis.cohorts import NAMES
from benchmarks.synthesis.entry import KEY, measured
from benchmarks.synthesis.page import DOCS, write_page
from benchmarks.synthesis.peer import LIMIT_SECONDS

RESULTS = DOCS / "synthesis.csv"
OURS = ("auto", "aim", "mst", "star")
PEERS = ("smartnoise-mst", "smartnoise-aim", "opendp-mst", "opendp-aim", "dpmm-mst", "dpmm-aim")
REFERENCES = ("real", "independent", "copula")
NON_PRIVATE = ("arfpy-arf", "synthpop-cart", "sdv-copula", "sdv-ctgan", "sdv-tvae", "mostlyai-tabular")
FIGURES = ["tstr", "tvd2", "tvd2_max", "tvd2_train", "km_gap", "membership_auc", "cpu_s", "mib"]
SCHEMA = {"cohort": pl.String, "synthesizer": pl.String, "epsilon": pl.Float64, "seed": pl.Int64}
SCHEMA |= {name: pl.Float64 for name in FIGURES} | {"error": pl.String}


def main() -> None:
    """Run the plan that the arguments name; entries that are stored already are not run again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthesis", description=__doc__)
    parser.add_argument("--cohort", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--synthesizer", nargs="+", default=[*REFERENCES, *OURS, *PEERS, *NON_PRIVATE])
    parser.add_argument("--epsilon", nargs="+", type=float, default=[1.0])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    results = pl.read_csv(RESULTS, schema=SCHEMA) if RESULTS.exists() else pl.DataFrame(schema=SCHEMA)
    plan = itertools.product(asked.cohort, asked.synthesizer, asked.epsilon, range(asked.seeds))
    entries = dict.fromkeys((c, s, 0.0 if s in {*REFERENCES, *NON_PRIVATE} else e, n) for c, s, e, n in plan)
    missing = [entry for entry in entries if entry not in set(results.select(KEY).iter_rows())]
    for entry in track(missing, description="benchmark"):
        with multiprocessing.get_context("spawn").Pool(1) as process:
            row = process.apply(measured, entry)
        results = pl.concat([results, pl.DataFrame([row], schema=SCHEMA)])
        results.sort("cohort", maintain_order=True).write_csv(RESULTS)
    write_page(results.sort("cohort", maintain_order=True), limit=LIMIT_SECONDS)


if __name__ == "__main__":
    main()
