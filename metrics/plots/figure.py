"""The look of every figure: palette, type, grid, and the way to PNG bytes.

Belongs here: what all figures share. Does not belong here: any one figure (``plot_*``). No global pyplot state, so
that figures can be drawn in any process or thread.
"""

import io
import json
import pickle
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Generic, ParamSpec

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from records.files import sha256

Arguments = ParamSpec("Arguments")

# Okabe and Ito (2008): distinguishable with every common colour vision deficiency.
REAL = "#0072B2"
HOLDOUT = "#56B4E9"
SYNTHETIC = "#D55E00"
INDEPENDENT = "#7A7F87"
THIRD = "#009E73"
FOURTH = "#CC79A7"
INK = "#1B2430"
QUIET = "#5B6573"
RULE = "#E3E7EC"

DOTS_PER_INCH = 144
KEPT = 2  # pictures of a kind that are remembered, with the report they show
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9AA4B0",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "lines.linewidth": 1.9,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
}


def drawn(draw: Callable[Arguments, Figure]) -> Callable[Arguments, bytes]:
    """Turn a function that draws a figure from JSON into one that returns PNG bytes in the common style.

    A run shows the same figure in MLflow, in its metadata and on its page: equal JSON is drawn once in a process.
    """

    @lru_cache(maxsize=KEPT)
    def picture(asked: _Asked[Arguments]) -> bytes:
        with mpl.rc_context(STYLE):
            buffer = io.BytesIO()
            figure = draw(*asked.args, **asked.kwargs)
            figure.set_dpi(DOTS_PER_INCH)
            # Not savefig: it lays out and draws once more than needed.
            FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
        return buffer.getvalue()

    @wraps(draw)
    def png(*args: Arguments.args, **kwargs: Arguments.kwargs) -> bytes:
        return picture(_Asked(*args, **kwargs))

    return png


class _Asked(Generic[Arguments]):
    """What a figure is drawn from, equal where its JSON (and rows, if it shows any) is."""

    def __init__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        self.args, self.kwargs = args, kwargs
        text = json.dumps([args, kwargs], sort_keys=True, default=lambda rows: pickle.dumps(rows).hex())
        self._digest = sha256(text.encode())

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._digest == other._digest


def panels(count: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with ``count`` axes side by side; sizes in inches."""
    figure = Figure(figsize=(width, height))
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def note(axes: Axes, words: str) -> None:
    """Write a note in the middle of empty axes."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=QUIET, wrap=True, transform=axes.transAxes)
