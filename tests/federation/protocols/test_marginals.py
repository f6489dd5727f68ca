"""Noisy tables and private choices on shares, against the local oracle and against exact chances."""

import asyncio
import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.mesh import LocalMesh, local_meshes
from federation.noise import Drawers, choice_part, choice_rho, gaussian_rho
from federation.oracle import FederatedOracle
from federation.protocols import marginals
from federation.protocols.marginals import (
    CHOOSE,
    MEASURE,
    MOST_CELLS,
    MOST_ESTIMATE,
    MOST_PENALTY,
    WEIGHT_UNITS,
    synthesis,
)
from federation.runtime import Runtime
from federation.site import Attributes, TableSite
from models.oracle import TableOracle
from records.errors import BudgetError, ParameterError
from records.schema import Column, Kind, Role, Schema
from tests.federation.parties import a_job
from tests.federation.sessions import local_oracle

LEVELS = {"sex": 2, "stage": 4, "ecog": 5}
SCHEMA = Schema(
    name="ward",
    title="Ward",
    columns=tuple(
        Column(name=n, label=n, role=Role.COVARIATE, kind=Kind.CATEGORY, levels={f"{n}_{i}": str(i) for i in range(k)})
        for n, k in LEVELS.items()
    ),
)
EMPTY = TableSite({"ward": (SCHEMA, None)})
PLENTY = 1e9


def a_table(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    codes = {name: rng.integers(count, size=rows) for name, count in LEVELS.items()}
    return pl.DataFrame({n: [f"{n}_{i}" for i in c] for n, c in codes.items()}, schema=SCHEMA.polars())


TABLES = [a_table(rows, rows) for rows in (50, 0, 200)]
SITES = [TableSite({"ward": (SCHEMA, table)}) for table in TABLES]
POOLED: Attributes = TableSite({"ward": (SCHEMA, pl.concat(TABLES))}).attributes("ward")


@contextmanager
def asked(sites: Sequence[TableSite] = SITES, levels: Mapping[str, int] = LEVELS, **job: Any) -> Iterator[FederatedOracle]:  # fmt: skip
    described = a_job("synthesis", list(LEVELS), parties=len(sites), **({"rho": PLENTY} | job))
    with local_oracle(sites, described, levels) as oracle:
        yield oracle


@pytest.fixture
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that is the same in each run: the sum does not depend on which party draws from which seed."""
    for name in ("gaussian_part", "choice_part"):
        drawn, seeds = getattr(marginals, name), itertools.count()
        monkeypatch.setattr(marginals, name, lambda *a, d=drawn, s=seeds: d(*a, random.Random(f"{next(s)}")))


def measured_noise(sigma: float, tables: int, **job: Any) -> np.ndarray:
    clique = ["stage", "ecog"]
    with asked(**job) as oracle:
        counts = oracle.measure_all([clique] * tables, sigma=sigma)
    return np.concatenate([(c - TableOracle(POOLED, exact=True).measure(clique, sigma=sigma)).ravel() for c in counts])


def alike(counts: np.ndarray) -> float:
    """Chance of rows that differ so much or more, if they come from one distribution (chi-squared)."""
    found: Any = chi2_contingency(counts)
    return found.pvalue


@pytest.mark.parametrize("clique", [("sex",), ("ecog", "sex"), ("stage", "sex", "ecog")])
def test_almost_without_noise_counts_are_the_pooled_ones(clique: tuple[str, ...]) -> None:
    with asked() as oracle:
        counts = oracle.measure(clique, sigma=0.05)
    assert (counts == TableOracle(POOLED, exact=True).measure(clique, sigma=0)).all()


@pytest.mark.usefixtures("seeded")
def test_without_collusion_noise_is_distributed_as_that_of_the_local_oracle() -> None:
    """Two samples and chi-squared; fixed seeds, of which 1 in 1,000 would fail."""
    sigma, tables = 4.0, 150
    ours = measured_noise(sigma, tables, collusion=0)
    central = TableOracle(POOLED, bits=random.Random(1))
    exact = TableOracle(POOLED, exact=True).measure(["stage", "ecog"], sigma=sigma)
    theirs = np.stack([central.measure(["stage", "ecog"], sigma=sigma) - exact for _ in range(tables)]).ravel()
    cuts = np.arange(-9.5, 10)
    observed = np.stack([np.bincount(np.digitize(x, cuts), minlength=len(cuts) + 1) for x in (ours, theirs)])
    assert alike(observed) > 0.001


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("collusion", [0, 1, 2])
def test_collusion_costs_variance(collusion: int) -> None:
    """Within four standard errors; fixed seeds."""
    noise = measured_noise(10.0, 150, collusion=collusion)
    assert noise.var() == pytest.approx(100 * 3 / (3 - collusion), rel=4 * math.sqrt(2 / noise.size))
    assert abs(noise.mean()) < 4 * noise.std() / math.sqrt(noise.size)


@pytest.mark.parametrize("sites", [[SITES[0], EMPTY, SITES[2]], [EMPTY, SITES[2], SITES[0], EMPTY, EMPTY]])
def test_parties_without_data_take_part(sites: list[TableSite]) -> None:
    exact = TableOracle(POOLED, exact=True)
    with asked(sites) as oracle:
        assert (oracle.measure(["ecog", "stage"], sigma=0.05) == exact.measure(["ecog", "stage"], sigma=0)).all()
        assert chosen(oracle, off={1: 40}) == 1


def chosen(oracle: FederatedOracle, *, off: Mapping[int, int], epsilon: float = 50.0, penalties: Sequence[float] = (0, 0, 0)) -> int:  # fmt: skip
    """A choice among pairs whose estimates are exact but for some, which are off by a number of patients."""
    pairs = [("sex", "stage"), ("stage", "ecog"), ("ecog", "sex")]
    estimates = [TableOracle(POOLED, exact=True).measure(pair, sigma=0) for pair in pairs]
    for position, patients in off.items():
        estimates[position].flat[-1] += patients
    return oracle.choose(pairs, estimates, [1.0, 1.0, 0.5], list(penalties), epsilon=epsilon)


@settings(max_examples=6, deadline=None)
@given(st.permutations([0, 20, -60]))
def test_the_table_that_differs_most_is_chosen(off: list[int]) -> None:
    """Unless noise of scale 2 / epsilon exceeds 10 patients: one run in e^100."""
    scores = np.abs(off) * [1.0, 1.0, 0.5]
    with asked() as oracle:
        assert chosen(oracle, off=dict(enumerate(off))) == scores.argmax()


def test_a_penalty_counts_against_a_table() -> None:
    with asked() as oracle:
        assert chosen(oracle, off={0: 60, 1: 40}, penalties=(50, 0, 0)) == 1


def permuted_and_flipped(scores: Sequence[int], q: float) -> np.ndarray:
    """Exact chances, but for a tail of e^-70, that each score with geometric noise is the largest or the first of those."""
    values = np.arange(max(scores) + int(70 / -math.log(q)))
    at = np.stack([np.where(values >= s, (1 - q) * q ** np.maximum(values - s, 0.0), 0.0) for s in scores])
    upto = np.cumsum(at, axis=1)
    chances = []
    for i in range(len(scores)):
        others = [upto[j] - (at[j] if j < i else 0) for j in range(len(scores)) if j != i]
        chances.append((at[i] * np.prod(others, axis=0)).sum())
    assert sum(chances) == pytest.approx(1, abs=1e-9)
    return np.array(chances)


@pytest.mark.usefixtures("seeded")
def test_a_choice_is_the_largest_score_with_the_parties_noise() -> None:
    """The parties' seeds are known here, so also their choices are."""
    epsilon, scores = 0.5, np.array([0, 6, 4]) * WEIGHT_UNITS
    with asked(collusion=1) as oracle:
        found = [chosen(oracle, off={1: 6, 2: 8}, epsilon=epsilon) for _ in range(12)]
    for i, position in enumerate(found):
        blurred = scores + summed_noise(range(3 * i, 3 * i + 3), epsilon, Drawers(3, 1))
        assert blurred[position] == blurred.max()
    assert len(set(found)) > 1


def test_such_choices_have_the_stated_chances() -> None:
    """Chi-squared of the honest parts' choices against exact chances; fixed seeds, of which 1 in 1,000 would fail."""
    epsilon, repeats, scores = 0.5, 3000, np.array([0, 6, 4]) * WEIGHT_UNITS
    drawers = Drawers(3, 1)
    found = [(scores + summed_noise((i, -i - 1), epsilon, drawers)).argmax() for i in range(repeats)]
    chances = permuted_and_flipped(scores.tolist(), math.exp(-epsilon / 2 / (2 * WEIGHT_UNITS)))
    assert chisquare(np.bincount(found, minlength=3), chances * repeats).pvalue > 0.001


def summed_noise(seeds: Iterable[int], epsilon: float, drawers: Drawers) -> np.ndarray:
    """Noise of three scores by parties with these seeds; a choice is reported at half the ``epsilon`` of the contract."""
    return sum(choice_part(3, WEIGHT_UNITS, epsilon / 2, drawers, random.Random(f"{seed}")) for seed in seeds)  # type: ignore[return-value]


@pytest.mark.parametrize("scores", [(0, 0, 0), (0, 3, 5), (9, 1, 2), (4, 4, 0)])
def test_exact_chances_of_a_choice_change_by_no_more_than_epsilon(scores: tuple[int, ...]) -> None:
    """All neighbours whose scores differ by at most the sensitivity, enumerated; the largest change is near epsilon."""
    epsilon, sensitivity = 0.9, 2
    q = math.exp(-epsilon / (2 * sensitivity))
    base = permuted_and_flipped([s + sensitivity for s in scores], q)
    changes = [
        np.abs(
            np.log(permuted_and_flipped([s + sensitivity + d for s, d in zip(scores, delta, strict=True)], q) / base)
        )
        for delta in itertools.product(range(-sensitivity, sensitivity + 1), repeat=3)
    ]
    assert epsilon / 2 < np.max(changes) <= epsilon * (1 + 1e-9)


def at_all(requests: Sequence[Mapping[str, Any]], job: Job, sites: Sequence[TableSite] = SITES) -> tuple[list[Any], list[LocalMesh]]:  # fmt: skip
    """What becomes of a session at each party, and what each received."""

    async def at(mesh: LocalMesh) -> dict[str, Any]:
        rt = Runtime(mesh, job.degree)
        waiting, answers = asyncio.Queue[Any](), list[Any]()
        for request in [*requests, None]:
            waiting.put_nowait(request)

        async def answer(_: int, value: Any) -> None:
            answers.append(value)

        steps = Steps(job, rt, waiting, answer)
        return {"result": await synthesis(rt, sites[mesh.index], job, steps), "answers": answers}

    async def run() -> tuple[list[Any], list[LocalMesh]]:
        meshes = local_meshes(len(sites))
        return await asyncio.gather(*map(at, meshes), return_exceptions=True), meshes

    return asyncio.run(run())


def measuring(cliques: Sequence[Sequence[str]], sigma: float) -> dict[str, Any]:
    return {MEASURE: cliques, "shapes": [[LEVELS[n] for n in clique] for clique in cliques], "sigma": sigma}


CHOOSING = {
    CHOOSE: [["sex"], ["stage"]], "shapes": [[2], [4]], "estimates": np.zeros(6, np.int64),
    "weights": np.array([16, 8]), "penalties": np.array([0, 3]), "epsilon": 0.2,
}  # fmt: skip


def test_costs_add_up_to_the_stated_ones() -> None:
    drawers = Drawers(3, 1)
    results, _ = at_all(
        [measuring([["sex"], ["ecog", "stage"]], 7.0), CHOOSING], a_job("synthesis", list(LEVELS), rho=1.0)
    )
    expected = gaussian_rho(7.0, 2, drawers) + gaussian_rho(7.0, 20, drawers) + choice_rho(0.2)
    for found in results:
        assert found["result"]["rho"] == pytest.approx(expected)
        assert len(found["answers"]) == 2


@pytest.mark.parametrize("last", [measuring([["sex"]], 2.0), CHOOSING | {"epsilon": 0.6}])
def test_a_step_beyond_the_jobs_rho_is_refused_by_every_party(last: dict[str, Any]) -> None:
    """Before a share of it is sent: what was received after the first step are agreements."""
    first = measuring([["stage"]], 2.0)
    job = a_job("synthesis", list(LEVELS), rho=0.25)
    _, before = at_all([first], job)
    results, meshes = at_all([first, last], job)
    assert all(isinstance(result, BudgetError) for result in results)
    assert [len(mesh.received) for mesh in meshes] == [len(mesh.received) for mesh in before]
    assert all(isinstance(payload, bytes) for mesh in meshes for _, _, payload in mesh.received[-2:])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"shapes": [], "sigma": 1.0}, "a step must be one of"),
        (measuring([["sex"]], 1.0) | CHOOSING, "a step must be one of"),
        (measuring([], 1.0), "one size of at least 1"),
        ({MEASURE: [["sex"]], "shapes": [[2], [2]], "sigma": 1.0}, "one size of at least 1"),
        ({MEASURE: [["sex"], ["stage"]], "shapes": [[2], [-1]], "sigma": 1.0}, "one size of at least 1"),
        ({MEASURE: [["sex"], ["stage"]], "shapes": [[2], [0]], "sigma": 1.0}, "one size of at least 1"),
        ({MEASURE: [["sex", "stage"]], "shapes": [[8]], "sigma": 1.0}, "one size of at least 1"),
        ({MEASURE: [[], ["sex"]], "shapes": [[], [2]], "sigma": 1.0}, f"1 to {MOST_CELLS} cells"),
        ({MEASURE: 5, "shapes": [[2]], "sigma": 1.0}, "must list attributes"),
        ({MEASURE: [["sex"]], "sigma": 1.0}, "must list attributes"),
        ({MEASURE: [["sex"]], "shapes": [["two"]], "sigma": 1.0}, "must list attributes"),
        ({MEASURE: [["sex"]], "shapes": [[2]]}, "sigma must be a number"),
        (CHOOSING | {"epsilon": "0.1"}, "epsilon must be a number"),
        (CHOOSING | {"estimates": None}, "estimates must be 6 whole numbers"),
        (CHOOSING | {"estimates": np.array([0, 0, 0, 0, 0, MOST_ESTIMATE + 1])}, "estimates must lie"),
        (CHOOSING | {"estimates": np.array([0, 0, 0, 0, 0, -(1 << 63)])}, "estimates must lie"),
        (CHOOSING | {"penalties": np.array([0, -MOST_PENALTY - 1])}, "penalties must lie"),
        ({MEASURE: [["sex"]], "shapes": [[MOST_CELLS + 1]], "sigma": 1.0}, f"1 to {MOST_CELLS} cells"),
        ({MEASURE: [["sex", "sex"]], "shapes": [[1 << 32, 1 << 32]], "sigma": 1.0}, f"1 to {MOST_CELLS} cells"),
        (measuring([["sex"]], 0.0), "sigma must be positive"),
        (measuring([["sex"]], -1.0), "sigma must be positive"),
        (CHOOSING | {"estimates": np.zeros(5, np.int64)}, "estimates must be 6 whole numbers"),
        (CHOOSING | {"estimates": np.zeros(6)}, "estimates must be 6 whole numbers"),
        (CHOOSING | {"penalties": np.zeros((2, 1), np.int64)}, "penalties must be 2 whole numbers"),
        (CHOOSING | {"weights": np.array([0, 16])}, "weights must lie"),
        (CHOOSING | {"weights": np.array([1, WEIGHT_UNITS + 1])}, "weights must lie"),
    ],
)
def test_steps_that_make_no_sense_are_refused_by_every_party(request_: dict[str, Any], words: str) -> None:
    results, _ = at_all([request_], a_job("synthesis", list(LEVELS), rho=PLENTY))
    for result in results:
        assert isinstance(result, ParameterError)
        assert words in str(result)


def test_no_score_that_may_be_asked_for_wraps_round_the_field() -> None:
    """Differences of scores are compared, which is right below 2^60: of the largest distances, weights and penalties."""
    most_patients, most_noise = 1 << 31, 1 << 21
    highest = WEIGHT_UNITS * (MOST_CELLS * MOST_ESTIMATE + most_patients) + most_noise + MOST_PENALTY
    assert highest + MOST_PENALTY < 1 << 60


@pytest.mark.parametrize("sign", [1, -1])
def test_choices_at_the_limits_of_what_may_be_asked(sign: int) -> None:
    far = {"estimates": np.array([0, 0, *[sign * MOST_ESTIMATE] * 4]), "penalties": np.array([-MOST_PENALTY, 0])}
    results, _ = at_all([CHOOSING | far], a_job("synthesis", list(LEVELS), rho=PLENTY))
    # A penalty of -2^57 outweighs 8 (of weight) x 4 cells x 2^31.
    assert [found["answers"] for found in results] == [[0]] * 3


@pytest.mark.parametrize(
    ("clique", "levels", "words"),
    [
        (("sex", "stage"), LEVELS | {"stage": 3}, "codebook's levels"),
        (("stage", "sex"), LEVELS | {"stage": 2, "sex": 4}, "codebook's levels"),
        (("weight",), {"weight": 2}, "attributes of ward, got weight"),
    ],
)
def test_tables_of_another_codebook_are_refused(clique: tuple[str, ...], levels: dict[str, int], words: str) -> None:
    with asked(levels=levels) as oracle, pytest.raises(ParameterError, match=words):
        oracle.measure(clique, sigma=1.0)


def heard(sites: Sequence[TableSite], party: int, tables: int = 250) -> tuple[np.ndarray, np.ndarray]:
    """Shares that one party received while tables were measured; the counts that were opened."""
    clique = ["stage", "ecog"]
    results, meshes = at_all([measuring([clique] * tables, 3.0)], a_job("synthesis", list(LEVELS), rho=PLENTY), sites)
    shares = [p for _, _, p in meshes[party].received if isinstance(p, np.ndarray)]
    return np.concatenate([share.ravel() for share in shares]), results[party]["answers"][0]


@pytest.mark.slow
@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("party", [0, 1, 2])
def test_what_a_party_hears_does_not_depend_on_the_patients(party: int) -> None:
    """Lowest and highest five bits of shares by chi-squared: two inputs, and uniform. Fails wrongly in 6 of a million runs."""
    other = [TableSite({"ward": (SCHEMA, a_table(rows, rows))}) for rows in (900, 30, 500)]
    (one, opened), (two, differently) = heard(SITES, party), heard(other, party)
    assert one.size == two.size >= 5000
    for bits in (lambda x: x & np.uint64(31), lambda x: x >> np.uint64(56)):
        cells = np.stack([np.bincount(bits(x).astype(int), minlength=32) for x in (one, two)])
        assert alike(cells) > 1e-6
        assert min(chisquare(row).pvalue for row in cells) > 1e-6
    assert abs(opened.sum() - differently.sum()) > 1000
