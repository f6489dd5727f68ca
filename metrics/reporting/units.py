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
    "s": "seconds",
    "Cel": "°C",
    "1": "",
    "[pH]": "",
}
PARTS = {
    "mm[Hg]": "mmHg", "[lb_av]": "lb", "[in_i]": "in", "10.": "×10 ", "u[IU]": "µIU", "ug": "µg", "umol": "µmol",
    "uL": "µL", "m2": "m²", "m3": "m³", "'U": " units", "[": "", "]": "",
}  # fmt: skip
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def readable(unit: str | None) -> str:
    """A UCUM unit for people; annotations in braces and the unit 1 are left out.

    Returns
    -------
    str
        Empty if there is nothing to show.
    """
    bare = re.sub(r"\{[^}]*\}", "", unit or "")
    if bare in SPELLED:
        return SPELLED[bare]
    bare = re.sub(r"10\*(\d+)", lambda found: "×10" + found[1].translate(RAISED), bare)
    for code, spelling in PARTS.items():
        bare = bare.replace(code, spelling)
    return bare
