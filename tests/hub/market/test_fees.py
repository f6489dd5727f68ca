"""Access to real data is charged at cost: nothing above it, nothing above the accepted estimate."""

from dataclasses import replace

import pytest

from hub.access.fees import estimate
from hub.access.form import Form, Kind
from hub.market.fees import checked, expected
from records.errors import ParameterError

ACCEPTED = estimate(Form(kind=Kind.PERMIT, dataset_ids=["stroke"], months=6))


def test_an_estimate_becomes_lines_for_body_holder_and_processing() -> None:
    charges = expected(ACCEPTED)
    assert [charge.payee for charge in charges] == ["body", "holder", "processing"]
    assert sum(charge.cents for charge in charges) == ACCEPTED.total * 100
    assert checked(charges, ACCEPTED) == charges


def test_less_than_cost_may_be_charged() -> None:
    lower = [replace(charge, cents=charge.cents // 2) for charge in expected(ACCEPTED)]
    assert checked(lower, ACCEPTED) == lower


def test_a_cent_above_cost_is_refused() -> None:
    first, *others = expected(ACCEPTED)
    with pytest.raises(ParameterError, match="at most its cost"):
        checked([replace(first, cents=first.cost + 1), *others], ACCEPTED)


def test_costs_above_the_estimate_need_a_new_one() -> None:
    first, *others = expected(ACCEPTED)
    with pytest.raises(ParameterError, match="accepted estimate"):
        checked([replace(first, cents=first.cents + 1, cost=first.cost + 1), *others], ACCEPTED)


@pytest.mark.parametrize("cents", [-1, 1.5])
def test_no_negative_fee_and_no_fraction(cents: float) -> None:
    first, *others = expected(ACCEPTED)
    with pytest.raises(ParameterError):
        checked([replace(first, cents=cents), *others], ACCEPTED)  # type: ignore[arg-type]
