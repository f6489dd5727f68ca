"""Table E.1-1: what is done to each attribute, under the Basic Profile and its options.

Belongs here: reading the table and choosing one action. Does not belong here: carrying it out (``engine``).

``confidentiality_profile.csv`` holds the facts of the table, edition 2026c. The column ``basic`` agrees row by row
with dicom-anonymizer's 2026c list (a test says so). Where ``options_from`` is ``table`` the options' columns are those
of the table; where it is ``rule``, for rows added to the table in recent editions, they were filled by rule: dates and
times are C under modified dates, actions U are K under retained UIDs, descriptions, comments and labels are C under
clean descriptors. An empty cell leaves the basic action, which is never the weaker one.

References
----------
DICOM PS3.15 2026c, Table E.1-1 and E.1-1a.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from deidentification.dicom.options import Option

EDITION = "2026c"
TABLE = Path(__file__).parent / "confidentiality_profile.csv"
CURVES, OVERLAYS = 0x5000, 0x6000


class Action(StrEnum):
    """Action codes of Table E.1-1a."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    KEEP = "K"
    CLEAN = "C"
    UID = "U"


_RESOLVED = {"X/Z": "Z", "X/D": "D", "X/Z/D": "D", "Z/D": "D", "X/Z/U*": "U"}
"""The action of a combination that is valid for every type the attribute has in any IOD: an optional attribute may be
empty, one that may be empty may have a dummy, and a sequence of references may keep them with new UIDs."""


@dataclass(frozen=True)
class Rule:
    """One row: the action under the Basic Profile as printed, and those under options."""

    name: str
    basic: str
    options: dict[str, str]

    def action(self, columns: frozenset[str], *, sequence: bool = False) -> Action:
        """The one action to take: clean before keep, keep before the basic one."""
        chosen = {self.options[column] for column in columns if self.options.get(column)}
        for action in (Action.CLEAN, Action.KEEP, Action.REMOVE):
            if action.value in chosen:
                return action
        if sequence and "X" in self.basic and self.basic.endswith("D"):
            return Action.REMOVE  # a dummy item of an unknown IOD would be less valid than none
        return Action(_RESOLVED.get(self.basic, self.basic))


@cache
def rules() -> dict[int, Rule]:
    """Rows of single attributes by tag; repeating groups and private attributes are always removed whole."""
    with TABLE.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if "X" not in row["tag"] and row["tag"] != "PRIVATE"]
    columns = {option.column for option in Option} - {None}
    return {
        int(row["tag"].replace(",", ""), 16): Rule(row["name"], row["basic"], {str(c): row[str(c)] for c in columns})
        for row in rows
    }


def columns_of(options: Iterable[Option]) -> frozenset[str]:
    """Columns of the table that the options turn on."""
    return frozenset(option.column for option in options if option.column)


def removed_by_group(tag: int) -> bool:
    """Whether the whole group goes: private, command, file meta and directory groups, curves, overlays, lengths."""
    group, element = tag >> 16, tag & 0xFFFF
    repeating = group & 0xFF00 in (CURVES, OVERLAYS)
    return bool(group % 2) or group < 0x0008 or repeating or element == 0
