"""UCUM units as people write them.

Belongs here: the spelling of units in figures and reports. Does not belong here: conversion between units.
"""

import re

SPELLED = {
    "a": "years",
    "mo": "months",
    "wk": "weeks",
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "Cel": "°C",
    "1": "",
}
PARTS = {"mm[Hg]": "mmHg", "[lb_av]": "lb", "[in_i]": "in", "10*": "10^", "u[IU]": "µIU", "ug": "µg", "umol": "µmol"}


def readable(unit: str | None) -> str:
    """A UCUM unit for people; annotations in braces and the unit 1 are left out.

    Returns
    -------
    str
        Empty if there is nothing to show.
    """
    bare = re.sub(r"\{[^}]*\}", "", unit or "")
    for code, spelling in PARTS.items():
        bare = bare.replace(code, spelling)
    return SPELLED.get(bare, bare)
