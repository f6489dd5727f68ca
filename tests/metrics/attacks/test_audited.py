"""The stored audit is found by the nearest claim, and its page says the same."""

from pathlib import Path

import pytest

from metrics.attacks.audited import audit_under

PAGE = Path(__file__).parents[3] / "docs" / "audit.md"


@pytest.mark.parametrize(("claim", "near"), [(0.1, 0.5), (0.7, 0.5), (0.9, 1.0), (2.0, 1.0), (3.0, 5.0), (10.0, 5.0)])
def test_the_nearest_claim_is_shown(claim: float, near: float) -> None:
    found = audit_under(claim)
    assert found is not None
    assert found["claimed_epsilon"] == near
    assert found["epsilon_lower"] <= found["gaussian_epsilon_lower"] <= near
    assert not found["violated"]


@pytest.mark.parametrize("claim", [None, 0.0])
def test_without_a_claim_there_is_nothing_to_show(claim: float | None) -> None:
    assert audit_under(claim) is None


def test_page_and_stored_figures_agree() -> None:
    for claim in (0.5, 1.0, 5.0):
        found = audit_under(claim)
        assert found is not None
        line = next(row for row in PAGE.read_text().splitlines() if row.startswith(f"| {claim:g} | noisy counts"))
        assert f"| {found['epsilon_lower']:.2f} | {found['gaussian_epsilon_lower']:.2f} |" in line
