"""The whole rule: copies and free riders together never gain, harm earns nothing, shares and splits agree."""

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.valuation.contribution import Holding, Terms, Valuation, valued
from hub.valuation.fingerprints import BANDS
from records.errors import ParameterError
from tests.hub.valuation.people import holding, of_nobody, patients, shuffled

EXACT = 1e-9
ALIKE = 24  # by ``likeness`` of these invented patients
SEEDS = st.integers(0, 10**6)


def value(holdings: dict[str, Holding], seed: int, **terms: Any) -> Valuation:
    chosen = Terms.model_validate({"permutations": 99, "alike": ALIKE} | terms)
    return valued(holdings, of_nobody(seed), chosen, np.random.default_rng(seed))


def line(valuation: Valuation, name: str):
    return next(one for one in valuation.lines if one.holder == name)


@settings(max_examples=8)
@given(SEEDS, st.integers(1, 3), st.sampled_from(["first", "shared"]))
def test_copies_and_their_original_together_never_gain(seed: int, copies: int, rule) -> None:
    """Whole copies under other names, later or at the same time: the sum over all names stays, and so does everybody else's."""
    honest = {"a": holding(patients(seed, 60)), "b": holding(patients(seed + 1, 60), registered=-1.0)}
    copied = {f"c{i}": holding(patients(seed, 60).reverse(), registered=float(i % 2)) for i in range(copies)}
    # Where a stranger's row looks like one's own by chance, more names get more of it under the shared rule.
    terms = {"copies": rule, "alike": ALIKE if rule == "first" else BANDS}
    before, after = value(honest, seed, **terms), value(honest | copied, seed, **terms)
    together = sum(line(after, name).worth for name in ("a", *copied))
    assert together == pytest.approx(line(before, "a").worth, abs=EXACT)
    assert line(after, "b").worth == pytest.approx(line(before, "b").worth, abs=EXACT)
    assert after.total == pytest.approx(before.total, abs=EXACT)
    paid = sum(line(after, name).counted for name in ("a", *copied))
    assert paid <= line(before, "a").worth + EXACT or not line(before, "a").worth > 0


@settings(max_examples=8)
@given(SEEDS, st.integers(1, 4))
def test_repeating_ones_own_rows_changes_nothing(seed: int, times: int) -> None:
    other = holding(patients(seed + 1, 50))
    once = value({"a": holding(patients(seed, 50)), "b": other}, seed)
    often = value({"a": holding(pl.concat([patients(seed, 50)] * times)), "b": other}, seed)
    for name in ("a", "b"):
        assert line(often, name).worth == pytest.approx(line(once, name).worth, abs=EXACT)


@settings(max_examples=8)
@given(SEEDS, st.integers(2, 5))
def test_dividing_ones_rows_among_names_changes_no_sum(seed: int, names: int) -> None:
    """False names: values of records do not depend on whose they are."""
    frame, other = patients(seed, 60), holding(patients(seed + 1, 50), registered=-1.0)
    parts = {f"a{i}": holding(frame[i::names]) for i in range(names)}
    whole, divided = value({"a": holding(frame), "b": other}, seed), value({**parts, "b": other}, seed)
    total = sum(line(divided, name).worth for name in parts)
    assert total == pytest.approx(line(whole, "a").worth, abs=EXACT)


@pytest.mark.slow
def test_random_labels_earn_nothing() -> None:
    """120 free riders beside two hospitals each, at a level of 0.1: at most 12 are expected to be paid.

    24 or more would have a chance below 0.001.
    """
    paid = 0
    for seed in range(60):
        market = {
            "a": holding(patients(2 * seed, 60)), "b": holding(patients(2 * seed + 1, 60)),
            "labels": holding(shuffled(patients(seed + 5000, 50), seed)),
            "more labels": holding(shuffled(patients(seed + 6000, 80), seed + 1)),
        }  # fmt: skip
        found = value(market, seed, level=0.1)
        paid += sum(bool(line(found, name).share) for name in ("labels", "more labels"))
    assert paid < 24


def test_honest_holders_are_paid_and_harm_is_not() -> None:
    wrong = patients(3, 80).with_columns(
        pl.when(pl.col("case").cast(pl.String) == "1").then(pl.lit("0")).otherwise(pl.lit("1")).alias("case")
    ).cast({"case": patients(3, 2).schema["case"]})  # type: ignore[dict-item]  # fmt: skip
    found = value({"a": holding(patients(1, 100)), "b": holding(patients(2, 100)), "poison": holding(wrong)}, 1)
    assert {one.holder: one.state for one in found.lines} == {"a": "paid", "b": "paid", "poison": "harmful"}
    assert line(found, "poison").worth < 0
    assert line(found, "poison").share == 0
    assert sum(found.shares.values()) == 1


def test_a_disguised_copy_is_held_and_the_first_holder_keeps_its_value() -> None:
    owner, other = patients(1, 120), patients(2, 120)
    disguised = owner.with_columns(pl.lit("a").cast(owner.schema["ward"]).alias("ward"))
    market = {"owner": holding(owner), "other": holding(other), "thief": holding(disguised, registered=1.0)}
    found, before = value(market, 4), value({k: market[k] for k in ("owner", "other")}, 4)
    assert line(found, "thief").state in ("copy", "held")
    assert line(found, "thief").share == 0
    assert line(found, "owner").worth == pytest.approx(line(before, "owner").worth, rel=0.15)


def test_nobody_is_paid_where_nobody_contributed() -> None:
    found = value({"x": holding(shuffled(patients(3, 60), 1))}, 8)
    assert found.shares == {}


def test_terms_are_told_apart_by_their_digest() -> None:
    assert Terms().sha256 == Terms().sha256 != Terms(neighbours=7).sha256


def test_no_holder_and_misfitting_fingerprints_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least one holder"):
        value({}, 0)
    one = holding(patients(1, 20))
    odd = Holding(one.records, one.prints.at(np.arange(5)))
    with pytest.raises(ParameterError, match="one fingerprint each, got another from odd"):
        value({"odd": odd}, 0)
    assert Fraction(0) == line(value({"x": holding(shuffled(patients(3, 60), 1))}, 8), "x").share
