"""``phaseiv market-sim``: files for a good call, a clear refusal for a wrong cohort."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app


@pytest.mark.slow
def test_a_market_is_simulated_on_a_bundled_cohort(tmp_path: Path) -> None:
    out = tmp_path / "market"
    result = CliRunner().invoke(app, ["market-sim", "--rounds", "1", "--cohort", "byar_greene", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert (out / "gains.png").read_bytes().startswith(b"\x89PNG")
    assert "byar_greene" in (out / "summary.md").read_text()


def test_an_unknown_cohort_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["market-sim", "--cohort", "nobody", "--out", str(tmp_path / "market")])
    assert result.exit_code == 1
    assert "got nobody; choose one of these" in result.output
    assert not (tmp_path / "market").exists()
