"""Errors a person can act on: ``<what> must <rule>, got <value>; <remedy>``.

Belongs here: the exception types shared by all packages. Does not belong here: handling them. No message may hold
a row value; counts and column names are allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class PhaseIVError(ValueError):
    """Base of every error that a user can cause and mend."""


@dataclass(frozen=True)
class Problem:
    """One breach of a schema: where, which rule, how many rows, and what to do. Never a row value."""

    column: str
    rule: str
    got: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.column} must {self.rule}, got {self.got}; {self.remedy}"


class TableError(PhaseIVError):
    """A table breaks its schema; ``problems`` holds *all* breaches, not the first.

    Parameters
    ----------
    source : str
        What was read, named for the user (a file name or an asset).
    problems : sequence of Problem
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  {i}. {problem}" for i, problem in enumerate(self.problems, 1))
        plural = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{source} does not fit its codebook, {len(self.problems)} {plural}:\n{lines}")


class CodebookError(PhaseIVError):
    """A codebook file is not a valid schema."""


class StorageError(PhaseIVError):
    """A file could not be written or read; former files are untouched."""


class BudgetError(PhaseIVError):
    """A privacy budget is exhausted or was asked for wrongly."""


class GateError(PhaseIVError):
    """A release was refused by the gate."""


class ParameterError(PhaseIVError):
    """A parameter is out of its range."""
