"""Splits: exact sums, quota, steady ties, floors, quality, and no pay for harm."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.market.splits import Floor, divide, shares, split
from records.errors import ParameterError

NAMES = st.text("abcdef", min_size=1, max_size=3)
WEIGHTS = st.dictionaries(NAMES, st.floats(-1e6, 1e6) | st.integers(-100, 10**6), min_size=1, max_size=9)


@given(st.integers(0, 10**12), WEIGHTS)
def test_sums_are_exact_and_parts_keep_their_quota(cents: int, weights: dict[str, float]) -> None:
    positive = {name: max(Fraction(w), Fraction(0)) for name, w in weights.items()}
    total = sum(positive.values())
    if not total:
        with pytest.raises(ParameterError, match="above 0"):
            split(cents, weights)
        return
    parts = split(cents, weights)
    assert sum(parts.values()) == cents
    assert parts.keys() == weights.keys()
    for name, part in parts.items():
        quota = cents * positive[name] / total
        assert abs(part - quota) < 1
        assert positive[name] or part == 0


@given(st.integers(0, 10**9), WEIGHTS)
def test_the_order_of_holders_does_not_matter(cents: int, weights: dict[str, float]) -> None:
    if any(w > 0 for w in weights.values()):
        turned = dict(reversed(weights.items()))
        assert split(cents, weights) == split(cents, turned)


@pytest.mark.slow
def test_a_hundred_thousand_random_splits_are_exact() -> None:
    chance = random.Random(9)
    for _ in range(100_000):
        weights = {
            str(n): chance.choice((chance.gauss(1, 1), chance.randrange(100), 0.1))
            for n in range(chance.randrange(1, 9))
        }
        weights["x"] = 1
        cents = chance.randrange(10**7)
        parts = split(cents, weights)
        assert sum(parts.values()) == cents
        assert min(parts.values()) >= 0


def test_ties_go_by_name() -> None:
    assert split(100, {"c": 1, "b": 1, "a": 1}) == {"c": 33, "b": 33, "a": 34}
    assert split(2, {"c": 1, "b": 1, "a": 1}) == {"c": 0, "b": 1, "a": 1}


def test_largest_remainders_by_hand() -> None:
    # Hamilton's textbook case: quotas 21.7, 28.3, 50.0 of 100 seats in parts per thousand.
    assert split(100, {"a": 217, "b": 283, "c": 500}) == {"a": 22, "b": 28, "c": 50}


def test_negative_contributions_earn_nothing() -> None:
    assert divide(1000, {"good": 0.3, "harm": -0.2, "idle": 0.0}) == {"good": 1000, "harm": 0, "idle": 0}


@given(WEIGHTS, st.fractions(0, 1), st.booleans())
def test_shares_add_up_to_one(weights: dict[str, float], ground: Fraction, by_size: bool) -> None:
    if not any(w > 0 for w in weights.values()):
        return
    sizes = {name: len(name) for name in weights} if by_size else {}
    found = shares(weights, floor=Floor(ground, sizes))
    assert sum(found.values()) == 1
    earning = {name for name, w in weights.items() if w > 0}
    for name in weights:
        assert (found[name] > 0) == (name in earning) or ground == 0 or ground == 1
        least = ground * (
            Fraction(sizes[name], sum(sizes[n] for n in earning)) if by_size else Fraction(1, len(earning))
        )
        assert name not in earning or found[name] >= least


def test_a_floor_helps_the_small_and_never_the_free_rider() -> None:
    contributions = {"large": 98, "small": 2, "random": 0}
    assert divide(10_000, contributions) == {"large": 9800, "small": 200, "random": 0}
    assert divide(10_000, contributions, floor=Floor(Fraction(1, 10))) == {"large": 9320, "small": 680, "random": 0}
    sizes = {"large": 900, "small": 100, "random": 50}
    by_size = divide(10_000, contributions, floor=Floor(Fraction(1, 10), sizes))
    assert by_size == {"large": 9720, "small": 280, "random": 0}


def test_quality_weighs() -> None:
    assert divide(300, {"a": 1, "b": 1}, quality={"a": 1, "b": 0.5}) == {"a": 200, "b": 100}


@pytest.mark.parametrize(
    ("cents", "weights", "options"),
    [
        (-1, {"a": 1}, {}), (1.5, {"a": 1}, {}), (10, {}, {}), (10, {"a": float("nan")}, {}), (10, {"a": None}, {}),
        (10, {"a": 1}, {"quality": {"a": 1.1}}), (10, {"a": 1}, {"quality": {}}), (10, {"a": 1}, {"floor": Floor(2)}),
        (10, {"a": 1}, {"floor": Floor(0.1, {"b": 3})}), (10, {"a": 1}, {"floor": Floor(0.1, {"a": 0})}),
    ],
)  # fmt: skip
def test_bad_numbers_are_refused(cents: int, weights: dict[str, float], options: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        divide(cents, weights, **options)  # type: ignore[arg-type]
