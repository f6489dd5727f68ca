"""Whether a text is a unit of UCUM, so that a name written as a unit does not pass for one.

Belongs here: the grammar over the atoms that clinical data use. Does not belong here: conversion.

References
----------
The Unified Code for Units of Measure, version 2.1: terms, prefixes, annotations.
"""

import re

UCUM = "http://unitsofmeasure.org"
_PREFIXES = ("da", "k", "h", "d", "c", "m", "u", "n", "p", "f", "M", "G")
_ATOMS = (
    "m[Hg]", "[in_i]", "[ft_i]", "[lb_av]", "[oz_av]", "[degF]", "[iU]", "[IU]", "[arb'U]", "[pH]", "[drp]", "[CFU]",
    "[ppm]", "[ppb]", "[pfu]", "10*", "10^", "mol", "osm", "cal", "Cel", "bar", "kat", "min", "deg", "rad", "eq", "wk",
    "mo", "Pa", "Hz", "Bq", "Gy", "Sv", "Ohm", "m[H2O]", "g", "m", "s", "L", "l", "U", "J", "W", "N", "V", "A", "K", "h",
    "d", "a", "%", "B",
)  # fmt: skip
_ATOM = "|".join(re.escape(atom) for atom in sorted(_ATOMS, key=len, reverse=True))
_COMPONENT = rf"(?:(?:{'|'.join(_PREFIXES)})?(?:{_ATOM})[+-]?\d{{0,2}}|\d{{1,4}})"
_UNIT = re.compile(rf"/?{_COMPONENT}(?:[./]{_COMPONENT})*")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
LONGEST = 40


def unit_of(text: object) -> str | None:
    """The unit without its annotations, or ``None`` where it is none; ``{score}`` is the unit ``1``."""
    if not isinstance(text, str) or not text or len(text) > LONGEST:
        return None
    bare = _ANNOTATION.sub("", text).strip(".") or "1"
    return bare if _UNIT.fullmatch(bare) else None
