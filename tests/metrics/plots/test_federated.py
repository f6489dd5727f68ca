"""Figures of results: drawn with and without what may be left out."""

from typing import Any

import pytest

from metrics.plots.federated import training_plot

PNG = b"\x89PNG"
EVALUATION = {"patients": 90, "events": 20, "auc": 0.71, "brier": 0.15, "log_loss": 0.5}
RESULT: dict[str, Any] = {"parties": 3, "weights": [0.0], "loss": [0.69, 0.6, 0.55], "evaluation": EVALUATION}


@pytest.mark.parametrize(
    "left_out",
    [{}, {"evaluation": None}, {"loss": None}, {"loss": None, "evaluation": None}, {"loss": None, "weights": None}],
)
def test_a_training_is_drawn_whatever_was_left_out(left_out: dict[str, Any]):
    assert training_plot(RESULT | left_out).startswith(PNG)
