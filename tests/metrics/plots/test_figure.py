"""Equal JSON is drawn once, other JSON anew, whatever the order of its names and whether it was stored between."""

import json
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from metrics.plots.figure import drawn, note, panels


def test_equal_json_is_drawn_once_and_other_json_anew() -> None:
    asked = []

    @drawn
    def words(report: Mapping[str, Any]) -> Figure:
        asked.append(report)
        figure, (axes,) = panels(1, width=2, height=1)
        note(axes, report["words"])
        return figure

    stored = json.loads(json.dumps({"words": "yes", "a": (1, 2)}, sort_keys=True))
    first, again, other = (words(report) for report in ({"words": "yes", "a": (1, 2)}, stored, {"words": "no"}))
    assert first[:4] == b"\x89PNG"
    assert first == again != other
    assert len(asked) == 2
