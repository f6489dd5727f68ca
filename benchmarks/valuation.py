"""How fast and how sure is valuation? Nearest-neighbour Shapley at 10,000 records, games of 7 and 50 holders, fingerprints, power.

``python -m benchmarks.valuation`` writes ``docs/benchmarks/valuation.md``. pyDVL in an environment of its own: see
``benchmarks/valuation_peer.py``.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hub.market.simulation.rounds import TERMS
from hub.market.simulation.strategies import dealt
from hub.market.simulation.table import Study, study
from hub.valuation.contribution import Holding, valued
from hub.valuation.copies import groups, likeness
from hub.valuation.features import labelled
from hub.valuation.fingerprints import fingerprints
from hub.valuation.games import table
from hub.valuation.holders import Estimate, permutation_shapley, reused_banzhaf, shapley
from hub.valuation.knn_shapley import balanced, knn_shapley
from hub.valuation.nearest import Labelled
from hub.valuation.utility import utility
from use_cases.registry import discover

PAGE = Path("docs/benchmarks/valuation.md")
COHORTS = ("support2_lung", "byar_greene", "copenhagen", "smart_cerebrovascular")
SMALL_HOLDER, MARKETS = 60, 20
PERMUTATIONS = 4_000
FEATURES = 24
Row = tuple[str, str, float, float, str]


def invented(rows: int, seed: int) -> Labelled:
    """Records whose features foretell the label a little; the numbers of speed do not depend on them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    return Labelled(rng.normal(size=(rows, FEATURES)) + 0.15 * (labels[:, None] - 0.5), labels)


def timed(step: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a step gives, its CPU seconds, and seconds by the clock."""
    begin = time.process_time(), time.perf_counter()
    found = step()
    return found, time.process_time() - begin[0], time.perf_counter() - begin[1]


def speeds() -> Iterator[Row]:
    """Name, size, CPU seconds, clock seconds, and what was wanted."""
    records, tests = invented(10_000, 1), invented(1_000, 2)
    scoring = balanced(tests.labels, TERMS.neighbours)
    _, cpu, clock = timed(lambda: knn_shapley(records, tests.features, scoring))
    yield "KNN-Shapley of every record", "10,000 records, 1,000 tests, 24 features", cpu, clock, "5 s"
    seven = [records.at(rows) for rows in np.array_split(np.arange(1_400), 7)]
    for name in ("knn-balanced", "auc-linear", "auc-logistic"):
        game = utility(name).game(seven, tests.at(np.arange(300)), TERMS.neighbours)
        _, cpu, clock = timed(lambda game=game: shapley(table(game)))
        yield f"exact Shapley of 7 holders, {name}", "1,400 records, 300 tests", cpu, clock, "5 s"
    fifty = [records.at(rows) for rows in np.array_split(np.arange(5_000), 50)]
    game = utility("knn-balanced").game(fifty, tests.at(np.arange(300)), TERMS.neighbours)
    for label, run in (
        ("permutations", lambda: permutation_shapley(game, np.random.default_rng(0), permutations=PERMUTATIONS)),
        ("reused coalitions, Banzhaf", lambda: reused_banzhaf(game, np.random.default_rng(0), coalitions=1_000)),
    ):
        found, cpu, clock = timed(run)
        assert isinstance(found, Estimate)
        yield f"50 holders, {label}: every value {found}", "5,000 records, 300 tests", cpu, clock, "60 s"


def fingerprint_speed() -> Iterator[Row]:
    """Fingerprints and copies of ten times a cohort's patients."""
    one = studies()[0]
    frame = one.frame.sample(10_000, with_replacement=True, seed=1)
    prints, cpu, clock = timed(lambda: fingerprints(frame, one.schema, os.urandom(32)))
    yield "fingerprints", "10,000 rows, 25 columns, 32 bands", cpu, clock, ""
    _, cpu, clock = timed(lambda: groups(prints, 16))
    yield "copies among them", f"10,000 rows, {len(np.unique(prints.whole)):,} different", cpu, clock, ""


def studies() -> list[Study]:
    """The bundled cohorts that are large enough."""
    cohorts = {c.name: c for use_case in discover().values() for c in use_case.cohorts}
    return [study(cohorts[name].load(), cohorts[name].table) for name in COHORTS]


def power(one: Study, size: int) -> tuple[float, float]:
    """Share of markets in which an honest holder of ``size`` patients, and one with random outcomes, is paid."""
    paid = np.zeros(2)
    for market in range(MARKETS):
        rng = np.random.default_rng([size, market])
        rest = one.frame.height - size
        parts = dealt(
            one.frame.height,
            {"focal": size, "a": rest * 0.25, "b": rest * 0.25, "c": rest * 0.2, "test": rest * 0.3},
            rng,
        )
        key = rng.bytes(32)
        terms = TERMS.model_copy(update={"alike": likeness([fingerprints(one.frame, one.schema, key)])})
        held = {name: _holding(one, rows, key) for name, rows in parts.items()}
        tests = held.pop("test").records
        honest = held["focal"]
        random = Labelled(honest.records.features, rng.permutation(honest.records.labels))
        for place, focal in enumerate((honest, Holding(random, honest.prints))):
            found = valued(held | {"focal": focal}, tests, terms, np.random.default_rng(market))
            paid[place] += bool(found.shares.get("focal"))
    return paid[0] / MARKETS, paid[1] / MARKETS


def small_holder(one: Study) -> dict[str, float]:
    """Mean share of a holder of 60 patients beside three large ones, by utility; its share of records."""
    shares: dict[str, list[float]] = {"by records": [], "KNN-Shapley": [], "AUC-Shapley (logistic)": []}
    for market in range(10):
        rng = np.random.default_rng([7, market])
        rest = one.frame.height - SMALL_HOLDER
        parts = dealt(
            one.frame.height,
            {"small": SMALL_HOLDER, "a": rest * 0.25, "b": rest * 0.25, "c": rest * 0.25, "test": rest * 0.25},
            rng,
        )
        held = {name: labelled(one.frame[rows], one.schema, one.schema.outcomes[0])[0] for name, rows in parts.items()}
        tests = held.pop("test")
        values = knn_shapley(_pooled(held), tests.features, balanced(tests.labels, TERMS.neighbours))
        owner = np.repeat(np.arange(len(held)), [h.rows for h in held.values()])
        knn = np.maximum(np.bincount(owner, values), 0)
        auc = np.maximum(shapley(table(utility("auc-logistic").game(list(held.values()), tests, TERMS.neighbours))), 0)
        for name, part in zip(shares, (np.bincount(owner).astype(float), knn, auc), strict=True):
            shares[name].append(part[list(held).index("small")] / part.sum() if part.sum() else 0.0)
    return {name: float(np.mean(found)) for name, found in shares.items()}


def _pooled(held: dict[str, Labelled]) -> Labelled:
    return Labelled(
        np.concatenate([h.features for h in held.values()]), np.concatenate([h.labels for h in held.values()])
    )


def _holding(one: Study, rows: np.ndarray, key: bytes) -> Holding:
    frame = one.frame[rows]
    records, _ = labelled(frame, one.schema, one.schema.outcomes[0])
    return Holding(records, fingerprints(frame, one.schema, key))


def main() -> None:
    """Measure and write the page, section by section."""
    found, lines = studies(), []
    for section in (_speed_section, lambda: _small_section(found), lambda: _power_section(found)):
        lines += section()
        PAGE.write_text("\n".join([*lines, ""]), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def _speed_section() -> list[str]:
    rows = [f"| {a} | {b} | {c:.2f} | {d:.2f} | {e} |" for a, b, c, d, e in (*speeds(), *fingerprint_speed())]
    return [
        "# Valuation: speed, bounds and power", "",
        "`python -m benchmarks.valuation`, one core, CPU seconds; beside them seconds by the clock at low priority, while other work took "
        "most of the same cores (CPU seconds of games are up to three times those of a quiet machine).", "",
        "| step | size | CPU s | clock s | wanted |", "|---|---|---|---|---|", *rows,
    ]  # fmt: skip


def _small_section(found: list[Study]) -> list[str]:
    rows = [
        f"| {one.name} | " + " | ".join(f"{100 * v:.1f} %" for v in small_holder(one).values()) + " |" for one in found
    ]
    return [
        "", f"## What {SMALL_HOLDER} patients earn", "",
        "Mean share over 10 divisions, three larger hospitals beside it, no test, negative values as 0.", "",
        "| cohort | share of records | KNN-Shapley | AUC-Shapley |", "|---|---|---|---|", *rows,
    ]  # fmt: skip


def _power_section(found: list[Study]) -> list[str]:
    rows = []
    for one in found:
        for size in (40, 80, 160):
            honest, random = power(one, size)
            rows.append(f"| {one.name} | {size} | {honest:.2f} | {random:.2f} |")
    return [
        "", "## Who passes the label test", "",
        f"Share of {MARKETS} markets (three honest hospitals beside it, level {TERMS.level:g}) in which a holder is paid.", "",
        "| cohort | patients | honest | outcomes in random order |", "|---|---|---|---|", *rows,
    ]  # fmt: skip


if __name__ == "__main__":
    main()
