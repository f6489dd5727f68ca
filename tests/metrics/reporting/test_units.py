"""Units and small numbers read as people write them."""

import pytest

from metrics.reporting.page import tiny
from metrics.reporting.units import readable
from use_cases.registry import discover


@pytest.mark.parametrize(("code", "spelling"), [
    ("mm[Hg]", "mmHg"), ("10.mm[Hg]", "×10 mmHg"), ("10*3/uL", "×10³/µL"), ("[pH]", ""), ("cm2", "cm²"), ("1", ""),
    ("kg/m2", "kg/m²"), ("[King-Armstrong'U]", "King-Armstrong units"), ("d", "days"), ("mg/dL", "mg/dL"),
    ("umol/L", "µmol/L"), ("[lb_av]", "lb"), ("{score}", ""), (None, ""),
])  # fmt: skip
def test_units(code: str | None, spelling: str) -> None:
    assert readable(code) == spelling


def test_no_code_of_a_codebook_is_left_unspelled() -> None:
    units = {c.unit for u in discover().values() for k in u.cohorts for c in k.table.columns}
    assert not [unit for unit in units if set("[]*'") & set(readable(unit))]


@pytest.mark.parametrize(("value", "words"), [
    (1e-5, "10⁻⁵"), (2.5e-6, "2.5 × 10⁻⁶"), (0.01, "0.01"), (0.0, "0"), (None, "not available"),
])  # fmt: skip
def test_tiny(value: float | None, words: str) -> None:
    assert tiny(value) == words
