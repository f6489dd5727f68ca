"""What one patient can change, what was paid for it, and that nothing else was looked at."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.additive_logit import PairTable
from models.event_learning import lean_queries
from models.event_structure import Rows, axes
from models.event_tables import (
    EventTables,
    from_answers,
    in_units,
    noisy_tables,
    to_answers,
    visit_units,
    visit_weights,
)
from models.event_tokens import NEXT, WAIT, Events, events_of
from records.accounting import rho_to_epsilon
from records.longitudinal import Records
from use_cases.longitudinal_cohort import longitudinal_cohort

COHORT = longitudinal_cohort("pbcseq")
SCHEMA = COHORT.records
AXES = axes(SCHEMA)


@pytest.fixture(scope="module")
def records() -> Records:
    return COHORT.load()


def counted(events: Events) -> EventTables:
    """The tables as they are before noise."""
    tables = {}
    for query in lean_queries(SCHEMA):
        table, whole = in_units(events, query, AXES, SCHEMA.most_visits)
        tables[query.child, query.parent] = PairTable(table.effects, table.counts / whole)
    return EventTables(tables)


def changes(one: EventTables, other: EventTables) -> list[float]:
    return [float(np.linalg.norm(t.counts - other.tables[key].counts)) for key, t in one.tables.items()]


@pytest.mark.slow
def test_no_patient_changes_a_table_by_more_than_one(records: Records) -> None:
    whole, key = counted(events_of(records, SCHEMA)), SCHEMA.patient_id
    largest = 0.0
    for patient in records.patients[key].sample(60, seed=0):
        others = records.of(key, records.patients[key].filter(records.patients[key] != patient))
        found = changes(whole, counted(events_of(others, SCHEMA)))
        largest = max(largest, *found)
    assert largest <= 1 + 1e-9
    assert largest > 0.99


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_no_conceivable_patient_changes_a_table_by_more_than_one(visits: int, seed: int, constant: bool) -> None:
    """Also one with more visits than the public cap, and one whose visits all fall into the same cell."""
    rng = np.random.default_rng(seed)
    source = COHORT.load()
    day = np.sort(rng.choice(np.arange(1, 5000), visits - 1, replace=False)) if visits > 1 else np.zeros(0, int)
    rows = np.zeros(visits, int) if constant else rng.integers(source.visits.height, size=visits)
    added = source.visits[rows].with_columns(pl.lit("new").alias("patient_id"), pl.Series("day", np.append(0, day)))
    new = source.patients[:1].with_columns(pl.lit("new").alias("patient_id"), pl.lit(5200, pl.Int64).alias("follow_up"))
    few = source.of("patient_id", source.patients["patient_id"][:20])
    more = Records(pl.concat([few.patients, new]), pl.concat([few.visits, added]))
    found = changes(counted(events_of(few, SCHEMA)), counted(events_of(more, SCHEMA)))
    assert max(found) <= 1 + 1e-9


@pytest.mark.parametrize("rows", list(Rows))
@pytest.mark.parametrize("most", [2, 16, 60])
def test_weights_of_all_possible_visits_add_up_to_one(rows: Rows, most: int) -> None:
    units = visit_units(rows, most)
    assert (units >= 1).all()
    numbers = np.arange(1, units.size + 1)
    assert visit_weights(numbers, rows, most).sum() == pytest.approx(1)


def test_the_spend_names_every_table_and_adds_up(records: Records) -> None:
    asked = lean_queries(SCHEMA)
    tables, spend = noisy_tables(
        events_of(records, SCHEMA), asked, AXES, SCHEMA.most_visits, rho=0.3, delta=1e-5, bits=random.Random(0)
    )
    assert [m.purpose for m in spend.mechanisms] == [q.name for q in asked]
    assert sum(m.rho for m in spend.mechanisms) == pytest.approx(0.3)
    assert spend.epsilon == pytest.approx(rho_to_epsilon(0.3, 1e-5))
    for mechanism, query in zip(spend.mechanisms, asked, strict=True):
        assert mechanism.rho == pytest.approx(1 / (2 * mechanism.sigma**2))  # type: ignore[operator]
        assert tables.tables[query.child, query.parent].sigma == mechanism.sigma
    assert len({(q.child, q.parent) for q in asked}) == len(asked)


def test_noise_is_as_large_as_it_says(records: Records) -> None:
    events = events_of(records, SCHEMA)
    exact, noisy = counted(events), noisy_tables(
        events, lean_queries(SCHEMA), AXES, SCHEMA.most_visits, rho=0.5, delta=1e-5, bits=random.Random(1)
    )[0]  # fmt: skip
    pairs = [(exact.tables[k].counts, t) for k, t in noisy.tables.items()]
    scaled = np.concatenate([(t.counts - truth) / t.sigma for truth, t in pairs])
    assert scaled.std() == pytest.approx(1, abs=0.08)
    assert scaled.mean() == pytest.approx(0, abs=0.08)


def test_answers_can_be_stored(records: Records) -> None:
    tables = counted(events_of(records, SCHEMA))
    again = from_answers(to_answers(tables), lean_queries(SCHEMA), AXES)
    assert max(changes(tables, again)) == 0


def test_events_are_what_happened(records: Records) -> None:
    events = events_of(records, SCHEMA)
    assert np.bincount(events.codes[NEXT]).tolist() == [1945 - 312, 143, 29, 140]
    gaps = records.visits["day"].diff().to_numpy()[1:][events.goes_on[:-1]]
    assert ((gaps >= 176) & (gaps < 190)).sum() == (events.codes[WAIT][events.goes_on] == 4).sum()
