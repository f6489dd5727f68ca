"""anonymeter: the three risks on the tables that the settings name, once per seed.

Runs in the peer's own environment. Settings (JSON, named in argv): ``tables`` (parquet by name, categories as text),
``halves`` and ``known`` (columns), ``secrets`` (column to whether it is a number), ``seeds``, ``attacks``, ``out``.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
from anonymeter.evaluators.singling_out_evaluator import univariate_singling_out_queries


def singling_out(ori, control, syn, mode, attacks, seed):
    """The package divides by the predicates asked for: no more are asked for than exist."""
    if mode == "univariate":
        possible = univariate_singling_out_queries(pl.DataFrame(syn).unique(), 10**9, np.random.default_rng(seed))
        attacks = min(attacks, len(possible))
    return SinglingOutEvaluator(ori, syn, n_attacks=attacks, control=control, seed=seed).evaluate(mode)


def figures(evaluator):
    found = evaluator.results()
    risk = found.risk()
    rates = {"attack": found.attack_rate, "baseline": found.baseline_rate, "control": found.control_rate}
    return {name: float(rate.value) for name, rate in rates.items()} | {
        "risk": float(risk.value),
        "lower": float(risk.ci[0]),
        "upper": float(risk.ci[1]),
    }


def main():
    settings = json.loads(Path(sys.argv[1]).read_text())
    ori, control, syn = (pl.read_parquet(settings["tables"][n]).to_pandas() for n in ("train", "control", "synthetic"))
    columns = [*settings["known"], *settings["secrets"]]
    attacks, halves, rows = settings["attacks"], settings["halves"], []
    plan = {
        "singling out, one column": lambda seed: singling_out(ori, control, syn, "univariate", attacks, seed),
        "singling out, three columns": lambda seed: singling_out(ori, control, syn, "multivariate", attacks, seed),
        "linkability": lambda seed: LinkabilityEvaluator(
            ori[columns], syn[columns], halves, n_attacks=min(attacks, len(ori)), control=control[columns]
        ).evaluate(n_jobs=1),
    }
    for secret, number in settings["secrets"].items():
        plan[f"inference of {secret}"] = lambda seed, secret=secret, number=number: InferenceEvaluator(
            ori, syn, settings["known"], secret, regression=number, n_attacks=attacks, control=control
        ).evaluate(n_jobs=1)
    for seed in settings["seeds"]:
        for attack, evaluate in plan.items():
            np.random.seed(seed)  # noqa: NPY002, the peer draws from the global generator
            start = time.process_time()
            found = figures(evaluate(seed))
            rows.append({"attack_name": attack, "seed": seed, **found, "cpu_s": time.process_time() - start})
    Path(settings["out"]).write_text(json.dumps(rows))


main()
