"""``python -m benchmarks.images``: run what is missing, then write the table, the page and the picture.

Belongs here: the plan and its progress. Does not belong here: how one entry runs (``entry``).
"""

import argparse
import itertools
import multiprocessing
import os

import polars as pl
from rich.progress import track

from benchmarks.images.entry import KEY, measured
from benchmarks.images.page import DOCS, write_page
from models.images.registry import FAMILIES

RESULTS = DOCS / "images.csv"
UNTRAINED = ("real", "prior", "flat")  # the same at any epsilon
COMPARED = tuple(name for name in FAMILIES if name != "tilted")  # there is no simulator of radiographs
FIGURES = ["convolutional", "logistic", "fit_s", "draw_1000_s", "mib"]
SCHEMA = {"synthesizer": pl.String, "epsilon": pl.Float64, "seed": pl.Int64} | {name: pl.Float64 for name in FIGURES}


def main() -> None:
    """Run the plan that the arguments name; entries that are stored already are not run again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.add_argument("--synthesizer", nargs="+", default=["real", *COMPARED], choices=["real", *COMPARED])
    parser.add_argument("--epsilon", nargs="+", type=float, default=[10.0, 1.0], help="0 for no privacy")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--page-only", action="store_true")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    results = pl.read_csv(RESULTS, schema=SCHEMA) if RESULTS.exists() else pl.DataFrame(schema=SCHEMA)
    plan = itertools.product(range(asked.seeds), asked.synthesizer, asked.epsilon)
    entries = dict.fromkeys((s, 0.0 if s in UNTRAINED else e, n) for n, s, e in plan)
    missing = [entry for entry in entries if entry not in set(results.select(KEY).iter_rows())]
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["benchmarks.images.entry", "torch", "sklearn.linear_model"])
    for entry in track([] if asked.page_only else missing, description="benchmark"):
        with processes.Pool(1) as process:
            row = process.apply(measured, entry)
        results = pl.concat([results, pl.DataFrame([row], schema=SCHEMA)])
        results.sort(KEY, maintain_order=True).write_csv(RESULTS, float_precision=4)
    write_page(results)
    from benchmarks.images.picture import write_picture

    write_picture()


if __name__ == "__main__":
    main()
