"""The heat maps: a picture for every report, a note where there is none."""

from typing import Any

import numpy as np
import pytest

from metrics.plots.association import association_plot

PNG = b"\x89PNG"


def report(columns: int) -> dict[str, Any]:
    matrix = np.full((columns, columns), 0.2).tolist()
    matrix[0][1] = matrix[1][0] = None
    named = [{"name": f"c{i}", "label": f"A column with a long label {i}", "kind": "number"} for i in range(columns)]
    matrices = {name: matrix for name in ("train", "synthetic", "difference")}
    return {"association": {"columns": named, "matrices": matrices, "mean": {"synthetic": 0.1}}}


@pytest.mark.parametrize("columns", [2, 12, 45])
def test_any_number_of_columns(columns: int) -> None:
    assert association_plot(report(columns)).startswith(PNG)


def test_without_association_the_reason_is_drawn() -> None:
    assert association_plot({"association": None, "reasons": {"association": "too few rows"}}).startswith(PNG)
    assert association_plot({}).startswith(PNG)
