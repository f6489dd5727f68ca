"""The researcher's oracle: what it asks of the parties, and a whole synthesis over a cohort's hospitals."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from deidentification.schema import released_schema
from federation.oracle import FederatedOracle
from federation.protocols.marginals import WEIGHT_UNITS
from federation.site import TableSite
from models.attributes import attribute_levels, encode_attributes
from models.graphical_synthesizer import GraphicalSynthesizer
from models.oracle import TableOracle
from records.accounting import epsilon_to_rho
from records.errors import BudgetError
from records.validation import validate
from tests.federation.parties import a_job
from tests.federation.sessions import local_oracle
from use_cases.registry import discover

LEVELS = {"a": 2, "b": 3, "c": 4}


class RecordedSession:
    """Keeps what is asked, and answers with 0, 1, 2 and so on."""

    def __init__(self) -> None:
        self.requests: list[Mapping[str, Any]] = []

    async def step(self, request: Mapping[str, Any]) -> Any:
        self.requests.append(request)
        if "choose" in request:
            return np.int64(1)
        return np.arange(sum(math.prod(shape) for shape in request["shapes"]))

    async def finish(self) -> dict[str, Any]:
        return {"rho": 0.5}


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture
def session() -> RecordedSession:
    return RecordedSession()


@pytest.fixture
def oracle(portal: BlockingPortal, session: RecordedSession) -> FederatedOracle:
    return FederatedOracle(portal, session, LEVELS)  # type: ignore[arg-type]


def test_tables_come_in_the_order_and_shape_asked_for(oracle: FederatedOracle, session: RecordedSession) -> None:
    first, second, third = oracle.measure_all([("c", "a"), ("b",), ("a", "b", "c")], sigma=2.5)
    assert (first == np.arange(8).reshape(4, 2)).all()
    assert (second == np.arange(8, 11)).all()
    assert (third == np.arange(11, 35).reshape(2, 3, 4)).all()
    assert first.dtype == float
    assert session.requests == [
        {"measure": [["c", "a"], ["b"], ["a", "b", "c"]], "shapes": [[4, 2], [3], [2, 3, 4]], "sigma": 2.5}
    ]
    assert (oracle.measure(("b", "a"), sigma=1.0) == np.arange(6).reshape(3, 2)).all()


def test_a_choice_is_asked_in_whole_numbers_at_half_its_epsilon(
    oracle: FederatedOracle, session: RecordedSession
) -> None:
    """Of report noisy max with geometric noise, half the epsilon costs what the contract says."""
    estimates = [np.array([1.4, 2.6]), np.array([[0.5, -0.2], [3.0, 1e-9], [7.7, 0.0]])]
    assert oracle.choose([("a",), ("b", "a")], estimates, [0.01, 4.0], [10.0, 2.5], epsilon=0.6) == 1
    (asked,) = session.requests
    assert asked["estimates"].tolist() == [1, 3, 0, 0, 3, 0, 8, 0]
    assert asked["weights"].tolist() == [1, WEIGHT_UNITS]
    assert asked["penalties"].tolist() == [10, 40]
    assert {asked[name].dtype for name in ("estimates", "weights", "penalties")} == {np.dtype(np.int64)}
    assert asked["epsilon"] == pytest.approx(0.3)


def test_the_end_tells_what_was_spent(oracle: FederatedOracle) -> None:
    assert oracle.finish() == {"rho": 0.5}


USE_CASE, COHORT = "prostate", "byar_greene"


def hospitals() -> tuple[list[TableSite], Any, Any]:
    """The cohort's hospitals with what may be synthesised, as a party's site gives it."""
    cohort = discover()[USE_CASE].cohort(COHORT)
    schema = released_schema(cohort.table)
    pooled, names = cohort.load(), cohort.site_names
    at = cohort.assign_sites(pooled)
    tables = [pooled.filter(at == name).select(schema.names) for name in names]
    return [TableSite({"ward": (schema, table)}, encode=encode_attributes) for table in tables], pooled, schema


SITES, POOLED, SCHEMA = hospitals()


def test_the_oracle_agrees_with_the_local_one_where_noise_is_small() -> None:
    levels = attribute_levels(SCHEMA)
    cliques = [tuple(levels)[i : i + 2] for i in range(0, len(levels) - 1, 2)]
    local = TableOracle(encode_attributes(POOLED.select(SCHEMA.names), SCHEMA), exact=True)
    with local_oracle(SITES, a_job("synthesis", SCHEMA.names, rho=1e9), levels) as oracle:
        for ours, theirs in zip(
            oracle.measure_all(cliques, sigma=0.05), local.measure_all(cliques, sigma=0), strict=True
        ):
            assert ours.shape == theirs.shape
            assert (ours == theirs).all()


@pytest.mark.slow
@pytest.mark.parametrize("selection", ["auto", "mst"])
def test_a_synthesis_over_hospitals_gives_a_valid_table(selection: str) -> None:
    """For a budget under which the number of patients is known to within some per cent."""
    rho = epsilon_to_rho(5.0, 1e-5)
    job = a_job("synthesis", SCHEMA.names, rho=rho, epsilon=5.0, delta=1e-5)
    with local_oracle(SITES, job, attribute_levels(SCHEMA)) as oracle:
        model = GraphicalSynthesizer(selection=selection).fit_oracle(oracle, SCHEMA, budget=rho)
        ends: Any = oracle.finish()
    rows = model.sample(rng=np.random.default_rng(1))
    assert validate(rows, SCHEMA, source="synthesis").schema == SCHEMA.polars()
    assert rows.height == pytest.approx(POOLED.height, rel=0.25)
    assert model.privacy_.epsilon is not None
    assert model.privacy_.epsilon <= 5.0 + 1e-6
    # Every party counts for itself, and all find what the synthesizer says.
    assert [end["rho"] for end in ends] == pytest.approx([model.privacy_.rho] * len(SITES), rel=1e-6)


@pytest.mark.slow
def test_a_synthesizer_that_asks_for_more_than_declared_is_stopped() -> None:
    job = a_job("synthesis", SCHEMA.names, rho=0.01)
    with local_oracle(SITES, job, attribute_levels(SCHEMA)) as oracle, pytest.raises(BudgetError, match="job's rho"):
        GraphicalSynthesizer(selection="mst").fit_oracle(oracle, SCHEMA, budget=0.02)
