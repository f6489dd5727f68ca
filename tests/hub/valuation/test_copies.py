"""Copies: found by keyed fingerprints, exact and near; credit of groups; overlaps beyond chance."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.valuation.copies import credit, groups, likeness, overlaps
from hub.valuation.fingerprints import BANDS, fingerprints, joined
from records.errors import ParameterError
from tests.hub.valuation.people import KEY, NUMBERS, SCHEMA, patients


def jittered(frame: pl.DataFrame, seed: int, sd: float) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    noisy = [
        pl.Series(c.name, np.clip(np.round(frame[c.name].to_numpy() + rng.normal(0, sd, frame.height), 2), -4, 4))
        for c in NUMBERS
    ]
    return frame.with_columns(noisy)


def test_equal_rows_have_equal_fingerprints_whatever_their_identifier_and_order() -> None:
    frame = patients(1, 50)
    other = frame.with_columns(pl.lit(7).alias("id")).reverse()
    one, two = fingerprints(frame, SCHEMA, KEY), fingerprints(other, SCHEMA, KEY)
    np.testing.assert_array_equal(one.whole, two.whole[::-1])
    np.testing.assert_array_equal(one.bands, two.bands[::-1])
    assert len(np.unique(one.whole)) == frame.unique([c for c in frame.columns if c != "id"]).height


def test_another_key_gives_unrelated_fingerprints_and_a_short_one_is_refused() -> None:
    frame = patients(1, 50)
    one, two = fingerprints(frame, SCHEMA, KEY), fingerprints(frame, SCHEMA, KEY[::-1])
    assert not np.isin(one.whole, two.whole).any()
    assert not np.isin(one.bands, two.bands).any()
    with pytest.raises(ParameterError, match="at least 16 bytes, got 4"):
        fingerprints(frame, SCHEMA, b"salt")


@pytest.mark.parametrize("spelling", [1.5, 1.5000001, 1.4999999])
def test_a_number_has_one_spelling(spelling: float) -> None:
    frame = patients(1, 3).with_columns(pl.lit(1.5).alias("x0"))
    same = frame.with_columns(pl.lit(spelling).alias("x0"))
    np.testing.assert_array_equal(fingerprints(frame, SCHEMA, KEY).whole, fingerprints(same, SCHEMA, KEY).whole)


def test_the_outcome_belongs_to_the_row() -> None:
    frame = patients(1, 40)
    turned = frame.with_columns(pl.when(pl.col("case") == "1").then(pl.lit("0")).otherwise(pl.lit("1")).alias("case"))
    one, two = (fingerprints(f.cast({"case": SCHEMA["case"].dtype}), SCHEMA, KEY) for f in (frame, turned))
    assert not (one.bands == two.bands).any()


def test_near_copies_are_found_and_strangers_are_not() -> None:
    prints = [fingerprints(patients(s, 300), SCHEMA, KEY) for s in range(3)]
    copy = fingerprints(jittered(patients(0, 300), 9, 0.02), SCHEMA, KEY)
    least = likeness([*prints, copy])
    group = groups(joined([*prints, copy]), least)
    assert (group[:300] == group[900:]).mean() > 0.9
    strangers = [len(np.unique(group[300 * i : 300 * (i + 1)])) for i in range(3)]
    assert min(strangers) > 300 * 0.97


def test_a_holder_who_repeats_its_own_rows_does_not_blunt_the_search() -> None:
    honest = [fingerprints(patients(s, 200), SCHEMA, KEY) for s in range(3)]
    doubled = fingerprints(pl.concat([patients(5, 200), jittered(patients(5, 200), 1, 0.01)]), SCHEMA, KEY)
    assert abs(likeness([*honest, doubled]) - likeness(honest)) <= 1


def test_small_hospitals_have_no_say_in_what_chance_does() -> None:
    small = [fingerprints(patients(s, 9), SCHEMA, KEY) for s in range(5)]
    assert likeness(small) == BANDS
    large = fingerprints(patients(9, 200), SCHEMA, KEY)
    assert likeness([*small, large]) == likeness([large])


def test_credit_is_the_first_holders_or_shared() -> None:
    group, holder = np.array([0, 1, 1, 0, 2, 1]), np.array([0, 0, 1, 1, 2, 2])
    shared = credit(group, holder, np.array([1, 2, 3]), "shared")
    np.testing.assert_allclose(shared, [[1 / 2, 1 / 3, 0], [1 / 2, 1 / 3, 0], [0, 1 / 3, 1]])
    first = credit(group, holder, np.array([2, 2, 1]), "first")
    np.testing.assert_allclose(first, [[1 / 2, 0, 0], [1 / 2, 0, 0], [0, 1, 1]])


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30),
    st.sampled_from(["first", "shared"]),
)
def test_every_group_is_credited_once(rows: list[tuple[int, int]], rule) -> None:
    group = np.unique([g for g, _ in rows], return_inverse=True)[1]
    found = credit(group, np.array([h for _, h in rows]), np.arange(4), rule)
    np.testing.assert_allclose(found.sum(axis=0), 1)


def test_overlaps_beyond_chance_are_told_and_strangers_are_not() -> None:
    """Strangers: 20 triples of hospitals; at 1 in 1,000 more than one alarm would be most unlikely."""
    alarms = 0
    for seed in range(0, 60, 3):
        prints = [fingerprints(patients(seed + s, 120), SCHEMA, KEY) for s in range(3)]
        alarms += len(overlaps(prints, np.arange(3), likeness(prints)))
    assert alarms <= 1
    thief = pl.concat([patients(70, 80), jittered(patients(0, 120), 3, 0.05)])
    prints = [fingerprints(f, SCHEMA, KEY) for f in (patients(0, 120), patients(1, 120), thief)]
    found = overlaps(prints, np.array([1.0, 1.0, 2.0]), likeness(prints))
    assert [(o.later, o.earlier) for o in found] == [(2, 0)]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ParameterError, match="first or shared, got both"):
        credit(np.zeros(1, int), np.zeros(1, int), np.zeros(1), "both")  # type: ignore[arg-type]
