"""``python -m benchmarks.federation.utility``: a synthetic table from three hospitals beside one from their pooled patients.

Belongs here: fits at equal total epsilon, scored alike, over seeds. Does not belong here: seconds and bytes (``network``);
the parties are tasks of this process, which changes neither noise nor result.
"""

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.synthesis.cohorts import split
from benchmarks.synthesis.scoring import pair_distances, transfer_auc
from federation.site import TableSite
from models.attributes import attribute_levels, encode_attributes
from models.graphical_synthesizer import GraphicalSynthesizer
from records.accounting import epsilon_to_rho
from records.schema import Schema
from tests.federation.parties import a_job
from tests.federation.sessions import local_oracle

RESULTS, PAGE = Path("docs/benchmarks/federation_utility.csv"), Path("docs/benchmarks/federation_utility.md")
COHORT, EPSILON, DELTA, SEEDS, SITES = "flchain", 1.0, 1e-5, 10, 3
WAYS: dict[str, int | None] = {"pooled": None, "federated, same noise": 0, "federated, one party may collude": 1}


def main() -> None:
    """Measure what is missing; results are kept after each fit."""
    for seed in range(SEEDS):
        train, holdout, schema = split(COHORT, seed)
        for way, collusion in WAYS.items():
            known = pl.read_csv(RESULTS) if RESULTS.exists() else pl.DataFrame({"way": [], "seed": []})
            if known.filter(pl.col("way").cast(pl.String) == way, pl.col("seed").cast(pl.Int64) == seed).height:
                continue
            made = _fitted(train, schema, collusion).sample(rng=np.random.default_rng(seed))
            distance = float(pair_distances(made, train, schema).mean())
            row = {"way": way, "seed": seed, "tstr_auc": transfer_auc(made, holdout, schema), "mean_tvd2": distance}
            print(row, flush=True)
            rows = [known, pl.DataFrame([row])] if RESULTS.exists() else [pl.DataFrame([row])]
            pl.concat(rows).write_csv(RESULTS)
    PAGE.write_text(_page(pl.read_csv(RESULTS)), encoding="utf-8")


def _fitted(train: pl.DataFrame, schema: Schema, collusion: int | None) -> GraphicalSynthesizer:
    rho, model = epsilon_to_rho(EPSILON, DELTA), GraphicalSynthesizer(delta=DELTA)
    if collusion is None:
        return model.fit(train.select(schema.names), schema, budget=rho, rng=np.random.default_rng())
    parts = [train[i::SITES].select(schema.names) for i in range(SITES)]
    sites = [TableSite({"ward": (schema, part)}, encode=encode_attributes) for part in parts]
    privacy = {"rho": rho, "epsilon": EPSILON, "delta": DELTA, "collusion": collusion}
    with local_oracle(sites, a_job("synthesis", schema.names, **privacy), attribute_levels(schema)) as oracle:
        model.fit_oracle(oracle, schema, budget=rho)
        oracle.finish()
    return model


def _page(results: pl.DataFrame) -> str:
    lines = [
        "# A synthetic table without access, beside one from pooled patients", "",
        f"{COHORT}, {SITES} hospitals, epsilon {EPSILON:g}, mean +- standard deviation over {SEEDS} splits and draws of noise. Made by "
        "`python -m benchmarks.federation.utility`. TSTR: AUC on held-out real patients; TVD2: mean two-way distance.", "",
        "| way | seeds | TSTR AUC | TVD2 |", "|---|---|---|---|",
    ]  # fmt: skip
    for way in WAYS:
        part = results.filter(pl.col("way") == way)
        figures = [f"{part[c].mean():.4f} +- {part[c].std():.4f}" for c in ("tstr_auc", "mean_tvd2")]
        lines.append(f"| {way} | {part.height} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
