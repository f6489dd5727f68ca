"""Fixed-point numbers from the codebook: exact on recorded values, inside the bounds always."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.protocols.scaling import Scale
from records.errors import ParameterError
from records.schema import Column, Kind, Role


def _column(kind: Kind = Kind.NUMBER, **given) -> Column:
    return Column(name="x", label="X", role=Role.COVARIATE, kind=kind, **given)


@given(st.integers(0, 1020))
def test_recorded_values_come_back_exactly(steps: int):
    scale = Scale.of(_column(minimum=18, maximum=120, step=0.1))
    value = round(18 + steps * 0.1, 1)
    assert scale.integers(pl.Series([value])).tolist() == [steps]
    assert scale.value(steps) == value


@given(st.floats(-1e6, 1e6))
def test_integers_stay_inside_the_public_bounds(value: float):
    scale = Scale.of(_column(minimum=-2.5, maximum=7))
    assert 0 <= scale.integers(pl.Series([value]))[0] <= scale.span


def test_the_step_is_the_codebooks_or_one_or_a_share_of_the_range():
    assert Scale.of(_column(Kind.INTEGER, minimum=0, maximum=9)).span == 9
    assert Scale.of(_column(minimum=0, maximum=9, step=0.5)).span == 18
    assert Scale.of(_column(minimum=0, maximum=1)).step == pytest.approx(2**-16)


def test_columns_without_numbers_or_with_too_many_steps_are_refused():
    with pytest.raises(ParameterError, match="must hold numbers"):
        Scale.of(_column(Kind.CATEGORY, levels={"a": "A", "b": "B"}))
    with pytest.raises(ParameterError, match="fewer than"):
        Scale.of(_column(minimum=0, maximum=1e9, step=1))


def test_sums_of_products_stay_in_the_field():
    fine = _column(minimum=0, maximum=5000, step=0.001)
    scale = Scale.for_products(fine)
    assert scale.span**2 * 2**22 <= 2**58
    assert scale.span * scale.step >= 5000
    assert abs(scale.value(scale.integers(pl.Series([1234.567]))[0]) - 1234.567) <= scale.step / 2
    whole = _column(Kind.INTEGER, minimum=0, maximum=99)
    assert Scale.for_products(whole) == Scale.of(whole)
