"""The synthesizer's mechanisms hold what they state, and the audit would notice if they did not.

Every audit is at confidence 95 %, so that an honest mechanism fails one with probability at most 0.05; it is far less,
since the zCDP claim exceeds what Gaussian noise spends. Seeds are fixed. The planted bugs show that the same audit
fails when the noise is halved, the choice is too sure, levels are read from the data, or a patient's rows are counted.
"""

import random
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import models.oracle
from metrics.attacks.audit import AuditReport, audit, audit_scores
from metrics.attacks.canaries import added, canaries
from models.attributes import attribute_levels, class_attribute, encode_attributes
from models.estimation import Measurement
from models.graphical_synthesizer import GraphicalSynthesizer
from models.oracle import TableOracle
from models.selection import start
from records.accounting import epsilon_to_rho, rho_to_epsilon
from records.schema import Schema
from tests.models.bundled import learnt_from

DELTA, LARGE_DELTA = 1e-5, 0.05
SIGMA = 2.0
COLUMNS = ["sex", "diabetes", "smoking", "time", "event"]
Attributes = dict[str, tuple[np.ndarray, int]]


@pytest.fixture(scope="module")
def cohort() -> tuple[pl.DataFrame, Schema]:
    table, schema = learnt_from("copenhagen")
    schema = schema.select(COLUMNS)
    return table.select(COLUMNS), schema


@pytest.fixture(scope="module")
def neighbours(cohort: tuple[pl.DataFrame, Schema]) -> list[pl.DataFrame]:
    """The cohort without and with the patient of the rarest levels; ``neighbours[with_canary]``."""
    table, schema = cohort
    return [table, added(table, canaries(table, schema)["rare"])]


@pytest.fixture
def half_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = models.oracle.discrete_gaussian
    monkeypatch.setattr(models.oracle, "discrete_gaussian", lambda sigma, size, bits: honest(sigma / 2, size, bits))


def claims(rho: float, delta: float = LARGE_DELTA) -> dict[str, float]:
    """The zCDP claim at a large delta, where few runs say much."""
    return {"claimed_epsilon": rho_to_epsilon(rho, delta), "delta": delta}


def likelihood(measurements: list[Measurement], canary: Attributes, without: Attributes) -> float:
    """Log likelihood ratio of the canary, but for a constant: how far its cells exceed what the others put there."""
    truth = TableOracle(without)
    total = 0.0
    for m in measurements:
        cell = tuple(int(canary[name][0][0]) for name in m.attributes)
        total += (m.counts[cell] - truth.measure(m.attributes, sigma=0)[cell] - 0.5) / m.sigma**2
    return float(total)


def counted(neighbours: list[pl.DataFrame], schema: Schema, *, trials: int, rows: int = 1) -> AuditReport:
    """Audit of one measurement at its stated sigma, by the count in the canary's cell; ``rows`` of one patient."""
    empty, full = neighbours
    tables = [empty, pl.concat([empty, *[full[-1]] * rows])]
    encoded = [encode_attributes(table, schema) for table in tables]
    cell = tuple(int(encoded[1][name][0][-1]) for name in COLUMNS[:3])
    bits = random.Random(0)
    oracles = [TableOracle(attributes, bits=bits) for attributes in encoded]

    def run(with_canary: bool, rng: np.random.Generator) -> float:
        return float(oracles[with_canary].measure(COLUMNS[:3], sigma=SIGMA)[cell])

    return audit(run, **claims(1 / (2 * SIGMA**2)), trials=trials, rng=np.random.default_rng(0))


def test_a_measurement_holds_its_stated_sigma(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema]
) -> None:
    report = counted(neighbours, cohort[1], trials=4000)
    assert report.verdict == "not refuted"
    assert 0.9 / SIGMA < report.gaussian_mu_lower < 1 / SIGMA


@pytest.mark.usefixtures("half_the_noise")
def test_a_measurement_with_half_the_noise_is_caught(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema]
) -> None:
    report = counted(neighbours, cohort[1], trials=4000)
    assert report.violated
    assert report.gaussian_mu_lower > 1.5 / SIGMA


def test_several_rows_of_one_patient_are_caught(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema]
) -> None:
    """The oracle takes one row for one patient: a table of visits breaks its promise, and the audit says so."""
    assert counted(neighbours, cohort[1], trials=1000, rows=4).violated


@pytest.mark.slow
def test_levels_read_from_the_data_are_caught(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema]
) -> None:
    """A level that only the canary has: its cell exists or not, whatever the noise."""
    table, schema = cohort
    held = table.filter(pl.col("smoking") == "1")
    both = [held, added(held, canaries(held, schema)["unseen"])]

    def run(from_data: bool) -> Callable[[bool, np.random.Generator], float]:
        def once(with_canary: bool, rng: np.random.Generator) -> float:
            codes, levels = encode_attributes(both[with_canary], schema)["smoking"]
            seen = len(np.unique(codes)) if from_data else levels
            oracle = TableOracle(
                {"smoking": (np.minimum(codes, seen - 1), seen)}, bits=random.Random(int(rng.integers(2**40)))
            )
            return float(oracle.measure(["smoking"], sigma=50.0).size)

        return once

    given = {"claimed_epsilon": 1, "delta": DELTA, "trials": 400}
    assert audit(run(True), **given, rng=np.random.default_rng(0)).violated
    assert not audit(run(False), **given, rng=np.random.default_rng(0)).violated


@pytest.mark.parametrize("factor", [1, 2])
def test_a_choice_holds_its_stated_epsilon(monkeypatch: pytest.MonkeyPatch, factor: int) -> None:
    """Exponential mechanism: the canary raises one candidate's score by 1 and lowers the other's by 1."""
    honest = models.oracle.exponential_mechanism
    monkeypatch.setattr(
        models.oracle, "exponential_mechanism", lambda s, d, epsilon, b: honest(s, d, factor * epsilon, b)
    )
    bits = random.Random(0)
    codes = [np.zeros(20 + with_canary, dtype=np.int64) for with_canary in (False, True)]
    oracles = [TableOracle({"a": (c, 2), "b": (c, 2)}, bits=bits) for c in codes]
    estimates = [np.array([10.0, 0.0]), np.array([30.0, 0.0])]

    def run(with_canary: bool, rng: np.random.Generator) -> float:
        return -float(oracles[with_canary].choose([("a",), ("b",)], estimates, [1, 1], [0, 0], epsilon=1))

    report = audit(run, claimed_epsilon=1, delta=0, trials=4000, rng=np.random.default_rng(0))
    assert report.violated == (factor == 2)
    assert report.epsilon_lower > 0.45


def started(
    neighbours: list[pl.DataFrame], schema: Schema, epsilon: float, trials: int, *, confidence: float = 0.95
) -> AuditReport:
    encoded = [encode_attributes(table, schema) for table in neighbours]
    canary = encode_attributes(neighbours[1][-1], schema)
    levels, task, rho = attribute_levels(schema), class_attribute(schema), epsilon_to_rho(epsilon, DELTA)

    def run(with_canary: bool, rng: np.random.Generator) -> float:
        oracle = TableOracle(encoded[with_canary], bits=random.Random(int(rng.integers(2**63))))
        return likelihood(start(oracle, levels, task, rho=rho).measurements, canary, encoded[0])

    return audit(run, **claims(rho), trials=trials, confidence=confidence, rng=np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1.0, 5.0])
def test_the_first_measurements_hold_their_budget(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema], epsilon: float
) -> None:
    """The Gaussian bound is held against what was spent, not the looser zCDP claim, so it errs as often as it states.

    With 1,000 runs at 95 % two of 52 seeds exceeded what was spent (3.8 %); at 99.9 % one in a thousand would.
    """
    report = started(neighbours, cohort[1], epsilon, 4000, confidence=0.999)
    assert not report.violated
    spent = np.sqrt(2 * epsilon_to_rho(epsilon, DELTA))
    assert 0.8 * spent - 0.15 < report.gaussian_mu_lower < spent


@pytest.mark.slow
@pytest.mark.usefixtures("half_the_noise")
def test_the_first_measurements_with_half_the_noise_are_caught(
    neighbours: list[pl.DataFrame], cohort: tuple[pl.DataFrame, Schema]
) -> None:
    assert started(neighbours, cohort[1], 5.0, 1000).violated


def fitted(
    cohort: tuple[pl.DataFrame, Schema],
    epsilon: float,
    trials: int,
    *,
    selection: str = "auto",
    delta: float = LARGE_DELTA,
) -> tuple[AuditReport, AuditReport]:
    """Audits of fit and sample on three columns: by the measurements, and by the drawn rows alone."""
    schema = cohort[1].select(COLUMNS[:3])
    table = cohort[0].select(schema.names)
    canary = canaries(table, schema)["rare"]
    code, others, rho = (
        encode_attributes(canary, schema),
        encode_attributes(table, schema),
        epsilon_to_rho(epsilon, DELTA),
    )
    rng, scores = np.random.default_rng(0), []
    for patients in (added(table, canary), table):
        for _ in range(trials):
            model = GraphicalSynthesizer(selection=selection, secure=False).fit(patients, schema, budget=rho, rng=rng)
            drawn = model.sample(table.height, rng=rng).join(canary, on=schema.names, how="semi").height
            scores.append((likelihood(model.measurements_, code, others), float(drawn)))
    seen = np.array(scores).reshape(2, trials, 2)
    counts, rows = (audit_scores(*seen[:, :, i], **claims(rho, delta)) for i in range(2))
    return counts, rows


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1.0, 5.0])
def test_fit_and_sample_hold_their_budget(cohort: tuple[pl.DataFrame, Schema], epsilon: float) -> None:
    counts, rows = fitted(cohort, epsilon, 150)
    assert not counts.violated
    assert not rows.violated


@pytest.mark.slow
@pytest.mark.usefixtures("half_the_noise")
def test_a_fit_with_half_the_noise_is_caught(cohort: tuple[pl.DataFrame, Schema]) -> None:
    """All budget in counts, as ``star`` has it, at delta 0.3: with 400 runs the power was 0.9, here 500."""
    assert fitted(cohort, 5.0, 500, selection="star", delta=0.3)[0].violated
