"""Both implementations of the three risks on the same tables, and the page that sets them side by side.

Belongs here: running, storing and averaging. Does not belong here: the attacks (``metrics.attacks``, ``peer``).
"""

import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from benchmarks.attacks.cohorts import ATTACKS, COMPLETED, NAMES, RAW, RELEASES, halves, released
from benchmarks.attacks.peer import attacked_by_peer
from metrics.attacks.inference_risk import inference_risk
from metrics.attacks.linkability import linkability
from metrics.attacks.risk import Risk
from metrics.attacks.singling_out import singling_out
from records.schema import Schema

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
KEY = ["cohort", "release", "attack_name"]
AGREED = 0.03
WORDS = """# Singling out, linkability and inference, beside the anonymeter package

Made by `python -m benchmarks.attacks` (rows in [attacks.csv](attacks.csv)). Both implementations attack the same training,
control and synthetic tables with the same known columns and secrets. Linkability and inference attack all patients, since a
high control rate magnifies Monte Carlo error (1,000 of 2,363 patients and four seeds left a half-width of 0.07);
singling out forms {attacks} predicates or all there are. {seeds} seeds of the attack, tables of equal size. Risk = (attack - control) / (1 - control), 0 to 1; anonymeter
1.1.0 in its own environment. Difference of mean risks with the 95 % half-width of Monte Carlo error (0 where all patients
are attacked and no tie is broken). In "{completed}" missing numbers hold the training median, in all tables: a number
missing on one side is infinitely far in the package, so that a patient with missing numbers often gets an arbitrary row.

{verdict}

"""
VERDICT = """Largest difference of mean risks: **{largest:.3f}** (limit {limit}) over {count} comparisons; on {raw}, with its missing
numbers, {other:.3f}."""
DIFFERENCES = """
## Where ours differs by design
- Controls of another size than the training table: ours swaps them in (`metrics/attacks/control_size.py`). The package
  fits its correction to the number of predicates tried instead of those that succeeded, so that it corrects nothing real.
- Rates are over the predicates that could be formed; the package divides by the number asked for. Here no more are asked
  for than exist.
- The package's baseline of inference is too low: its random guesses are matched to targets by row label, and most find
  no partner. The baseline does not enter the risk.
- A number missing on one side is infinitely far in the package and counts 1 in ours; ties are broken by its sort, at
  random in ours. With many missing numbers risks can so differ by more than 0.03: on another release of support2_lung by
  `auto` the inference of event had 0.039 in ours and 0.073 in the package.
- The package takes the sign of a guess into its relative tolerance, so that every negative guess is right.
"""


def compare(seeds: int, folder: Path = DOCS) -> None:
    """Run both implementations on every release that is not stored yet; write ``attacks.csv`` and ``attacks.md``."""
    stored = folder / "attacks.csv"
    results = pl.read_csv(stored) if stored.exists() else pl.DataFrame()
    done = set(results.select("cohort", "release").iter_rows()) if results.height else set()
    for cohort, release in itertools.product(NAMES, RELEASES):
        if (cohort, release) not in done:
            rows = pl.DataFrame(_attacked_by_both(cohort, release, seeds))
            results = pl.concat([results, rows], how="diagonal_relaxed")
            results.write_csv(stored, float_precision=5)
    results = results.sort(pl.col("cohort").cast(pl.Enum(NAMES)), maintain_order=True)
    (folder / "attacks.md").write_text(page(results), encoding="utf-8")


def _attacked_by_both(cohort: str, release: str, seeds: int) -> list[dict[str, Any]]:
    train, control, schema = halves(cohort)
    tables = {"train": train, "control": control, "synthetic": released(release, train, schema)}
    entry, attacks = {"cohort": cohort, "release": release}, ATTACKS[cohort]
    peer = attacked_by_peer(tables, schema, attacks=attacks, seeds=range(seeds))
    ours = [row for seed in range(seeds) for row in attacked_by_ours(tables, schema, attacks, seed)]
    named = {"anonymeter": peer, "ours": ours}
    return [{**entry, "implementation": name, **row} for name, rows in named.items() for row in rows]


def attacked_by_ours(
    tables: Mapping[str, pl.DataFrame], schema: Schema, attacks: int, seed: int
) -> list[dict[str, Any]]:
    """Rates, risk and CPU seconds of each attack, named as the peer names them."""
    rng = np.random.default_rng(seed)
    train, control, synthetic = (tables[n] for n in ("train", "control", "synthetic"))
    starts = [time.process_time()]
    singled = singling_out(train, control, synthetic, schema, rng=rng, attacks=attacks)
    starts.append(time.process_time())
    linked = linkability(train, control, synthetic, schema, rng=rng, attacks=attacks)
    starts.append(time.process_time())
    guessed = inference_risk(train, control, synthetic, schema, rng=rng, attacks=attacks)
    starts.append(time.process_time())
    seconds = np.diff(starts)
    named = [
        ("singling out, one column", singled.univariate, seconds[0] / 2),
        ("singling out, three columns", singled.multivariate, seconds[0] / 2),
        ("linkability", linked, seconds[1]),
        *((f"inference of {n}", risk, seconds[2] / len(guessed.secrets)) for n, risk in guessed.secrets.items()),
    ]
    return [{"attack_name": name, "seed": seed, **_figures(risk), "cpu_s": float(cpu)} for name, risk, cpu in named]


def _figures(risk: Risk) -> dict[str, float | None]:
    rates = {"attack": risk.attack_rate, "baseline": risk.baseline_rate, "control": risk.control_rate}
    values = {name: rate.value if rate else None for name, rate in rates.items()}
    return values | {"risk": risk.risk, "lower": risk.risk_lower, "upper": risk.risk_upper}


def page(results: pl.DataFrame) -> str:
    """The page of tables."""
    compared = [(key, _difference(part), part) for key, part in results.group_by(KEY, maintain_order=True)]
    agreeing = [found[0] for (cohort, *_), found, _ in compared if cohort != RAW]
    rest = [found[0] for (cohort, *_), found, _ in compared if cohort == RAW]
    verdict = VERDICT.format(
        largest=np.abs(agreeing).max(), limit=AGREED, count=len(agreeing), raw=RAW, other=np.abs(rest).max()
    )
    seeds = results["seed"].n_unique()
    head = ["cohort", "release", "attack", "risk, ours", "risk, anonymeter", "difference",
            "attack rate, ours / anonymeter", "control rate, ours / anonymeter", "baseline, ours / anonymeter"]  # fmt: skip
    cells = [[*key, *_cells(found, part)] for key, found, part in compared]
    text = WORDS.format(
        attacks=" or ".join(f"{n:,}" for n in sorted(set(ATTACKS.values()))),
        seeds=seeds,
        verdict=verdict,
        completed=COMPLETED,
    )
    return text + table([head, *cells]) + DIFFERENCES + "\n## CPU seconds per seed\n\n" + _costs(results)


def _difference(part: pl.DataFrame) -> tuple[float, float]:
    """Difference of mean risks and its 95 % half-width (Welch)."""
    ours, peer = (part.filter(implementation=n)["risk"].to_numpy() for n in ("ours", "anonymeter"))
    spread = ours.var(ddof=1) / len(ours) + peer.var(ddof=1) / len(peer)
    return float(ours.mean() - peer.mean()), float(student.ppf(0.975, len(ours) + len(peer) - 2) * np.sqrt(spread))


def _cells(found: tuple[float, float], part: pl.DataFrame) -> list[str]:
    means = {
        n: part.filter(implementation=n).select(pl.col(pl.Float64).mean()).row(0, named=True)
        for n in ("ours", "anonymeter")
    }
    risks = [f"{means[n]['risk']:.3f}" for n in means]
    rates = [" / ".join(f"{means[n][rate]:.3f}" for n in means) for rate in ("attack", "control", "baseline")]
    return [*risks, f"{found[0]:+.3f} ± {found[1]:.3f}", *rates]


def _costs(results: pl.DataFrame) -> str:
    seconds = results.group_by("cohort", "release", "implementation", "seed", maintain_order=True).agg(
        pl.col("cpu_s").sum()
    )
    means = seconds.group_by("cohort", "release", "implementation", maintain_order=True).agg(pl.col("cpu_s").mean())
    wide = means.pivot("implementation", index=["cohort", "release"], values="cpu_s")
    rows = [
        [r["cohort"], r["release"], f"{r['ours']:.2f}", f"{r['anonymeter']:.2f}"] for r in wide.iter_rows(named=True)
    ]
    return table([["cohort", "release", "ours", "anonymeter"], *rows])


def table(rows: list[list[str]]) -> str:
    """Lines of a table; the first row is its head."""
    lines = [f"| {' | '.join(cells)} |" for cells in (rows[0], ["---"] * len(rows[0]), *rows[1:])]
    return "\n".join(lines) + "\n"
