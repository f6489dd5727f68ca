"""Dividing an amount among holders, to the cent.

Belongs here: from contributions to whole cents that add up exactly. Does not belong here: how contributions are measured, and
the postings (``hub.money``).

A negative contribution counts as 0. What is left of each share after rounding down goes to the largest remainders; ties go by
name, so that the same numbers always give the same cents. A floor is a part of the amount that is divided equally, or by size,
among those who contributed anything; an equal floor pays a holder who appears under two names twice, one by size does not.

References
----------
Balinski and Young (2001), Fair representation (Hamilton's method of largest remainders; quota rule).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from hub.money.currency import whole
from records.errors import ParameterError

Number = int | float | Decimal | Fraction


@dataclass(frozen=True)
class Floor:
    """``share`` of the amount, 0 to 1, divided by ``sizes``; equally where there are none."""

    share: Number
    sizes: Mapping[str, Number] = field(default_factory=dict)


def split(cents: int, weights: Mapping[str, Number]) -> dict[str, int]:
    """``cents`` in proportion to ``weights``; the parts add up exactly, and each is its quota rounded down or up.

    Raises
    ------
    ParameterError
        The amount is negative or no whole number, a weight is no number, or no weight is above 0.
    """
    if whole(cents) < 0:
        raise ParameterError("an amount to divide must be at least 0, got less; divide a refund as what was paid")
    parts = _numerators(weights)
    total = sum(parts.values())
    if total == 0:
        raise ParameterError("one share must be above 0, got none; hold the amount until somebody contributed")
    made, left_over = {}, {}
    for name, part in parts.items():
        made[name], left_over[name] = divmod(cents * part, total)
    for name in sorted(parts, key=lambda one: (-left_over[one], one))[: cents - sum(made.values())]:
        made[name] += 1
    return made


def shares(
    contributions: Mapping[str, Number], *, quality: Mapping[str, Number] | None = None, floor: Floor | None = None
) -> dict[str, Fraction]:
    """Exact shares that add up to 1: contribution times quality (0 to 1), beside the floor.

    Raises
    ------
    ParameterError
        A number is out of its range, a holder has no quality or size, or nobody contributed.
    """
    earned = {name: max(_exact(value), Fraction(0)) for name, value in contributions.items()}
    if quality is not None:
        earned = {name: value * _unit(quality.get(name), "a quality") for name, value in earned.items()}
    shared = _portions(earned)
    if floor is None:
        return shared
    ground = _unit(floor.share, "the floor")
    among = {name: _size(floor, name) if value else Fraction(0) for name, value in earned.items()}
    bases = _portions(among)
    return {name: ground * bases[name] + (1 - ground) * shared[name] for name in shared}


def divide(
    cents: int, contributions: Mapping[str, Number], *, quality: Mapping[str, Number] | None = None,
    floor: Floor | None = None,
) -> dict[str, int]:  # fmt: skip
    """``cents`` by ``shares``, rounded once, at the end."""
    return split(cents, shares(contributions, quality=quality, floor=floor))


def _portions(values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    total = sum(values.values(), Fraction(0))
    if total == 0:
        raise ParameterError("one share must be above 0, got none; hold the amount until somebody contributed")
    return {name: value / total for name, value in values.items()}


def _size(floor: Floor, name: str) -> Fraction:
    if not floor.sizes:
        return Fraction(1)
    size = _exact(floor.sizes.get(name))
    if size <= 0:
        raise ParameterError("a size must be above 0 for each holder, got another; count the records")
    return size


def _unit(value: Number | None, what: str) -> Fraction:
    found = _exact(value)
    if not 0 <= found <= 1:
        raise ParameterError(f"{what} must be between 0 and 1, got another; look at the label")
    return found


def _numerators(weights: Mapping[str, Number]) -> dict[str, int]:
    """Whole numbers in the same proportion."""
    exact = {name: max(_exact(value), Fraction(0)) for name, value in weights.items()}
    common = math.lcm(*(value.denominator for value in exact.values())) if exact else 1
    return {name: value.numerator * (common // value.denominator) for name, value in exact.items()}


def _exact(value: Number | None) -> Fraction:
    try:
        return Fraction(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError("a share must be a finite number, got another; compute it again") from error
