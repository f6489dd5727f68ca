"""One rule of the gate applied to one value, and the words for it.

Belongs here: comparing a value with a limit. Does not belong here: which values and limits (``gate_rules``). A value that is
missing or not a number fails, never passes.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One rule applied: its limit, the value found (``None`` if missing), whether it passed, and why in words."""

    rule: str
    limit: float | str | bool | None
    value: float | str | None
    passed: bool
    words: str


def at_most(rule: str, name: str, value: Any, limit: float, why: str | None = None) -> Finding:
    """A value that must not exceed its limit; ``why`` tells why there is none."""
    number = number_of(value)
    if number is None:
        return unknown(rule, name, limit, why)
    words = f"{name} is {number:.4g}, {'within' if number <= limit else 'above'} the limit of {limit:g}"
    return Finding(rule, limit, number, number <= limit, words)


def at_least(rule: str, name: str, value: Any, limit: float, why: str | None = None) -> Finding:
    """A value that must reach its limit; ``why`` tells why there is none."""
    number = number_of(value)
    if number is None:
        return unknown(rule, name, limit, why)
    words = f"{name} is {number:.4g}, {'at or above' if number >= limit else 'below'} the minimum of {limit:g}"
    return Finding(rule, limit, number, number >= limit, words)


def unknown(rule: str, name: str, limit: float, why: str | None) -> Finding:
    """A value that is missing: it fails."""
    return Finding(rule, limit, None, False, f"{name} is unknown" + (f": {why}" if why else "; it must be measured"))


def number_of(value: Any) -> float | None:
    """The value as a finite float, or ``None``; a truth value is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def not_applicable(rule: str, limit: float, name: str, why: str) -> Finding:
    """A rule that a table cannot break; the words say why, so that nobody takes it for a measurement."""
    return Finding(rule, limit, None, True, f"{name}: does not apply, {why}")
