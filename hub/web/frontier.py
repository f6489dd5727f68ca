"""The frontier of accuracy against price as coordinates of a picture.

Belongs here: from points to SVG coordinates, without styles. Does not belong here: the points (``hub.market.shelf``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.market.shelf import Point

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 240, 60, 40


@dataclass(frozen=True)
class Dot:
    """One point: where it lies and what it stands for."""

    x: float
    y: float
    point: Point


def plot(points: Sequence[Point]) -> list[Dot]:
    """Dots from left to right by price; what cannot be bought any more has none. Fewer than two points make no picture."""
    shown = sorted((one for one in points if one.cents is not None), key=lambda one: (one.cents, one.epsilon))
    if len(shown) < 2:
        return []
    dearest = max(one.cents or 0 for one in shown) or 1
    low, high = min(one.accuracy for one in shown), max(one.accuracy for one in shown)
    reach = (high - low) or 1.0
    return [
        Dot(
            round(LEFT + (WIDTH - LEFT - 80) * (one.cents or 0) / dearest, 1),
            round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 30) * (one.accuracy - low) / reach, 1), one,
        )
        for one in shown
    ]  # fmt: skip
