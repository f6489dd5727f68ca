"""What was refused while loading images, and why: series named by pseudonym and ordinals only.

Belongs here: the error that refuses one series and the report of a load. Does not belong here: deciding to refuse.
"""

from dataclasses import dataclass
from typing import Any

from records.errors import PhaseIVError, Problem


class SeriesError(PhaseIVError):
    """One series cannot be used; holds no value of a patient.

    Parameters
    ----------
    rule, got, remedy : str
        ``the series must <rule>, got <got>; <remedy>``.
    """

    def __init__(self, rule: str, got: str, remedy: str) -> None:
        self.rule, self.got, self.remedy = rule, got, remedy
        super().__init__(f"the series must {rule}, got {got}; {remedy}")


@dataclass(frozen=True)
class Refusal:
    """A series that was left out: whose, which by ordinal, and why."""

    pseudonym: str
    study: int
    series: int
    rule: str
    got: str
    remedy: str

    def problem(self) -> Problem:
        """The refusal as one line of an error."""
        return Problem(
            f"series {self.series} of study {self.study} of {self.pseudonym}", self.rule, self.got, self.remedy
        )


@dataclass(frozen=True)
class LoadReport:
    """How a load went. Exact counts of real patients: for the hospital, not for release.

    Parameters
    ----------
    series, slices, patients : int
        Kept.
    opted_out : int
        Patients whose images were not read because they opted out.
    refused : tuple of Refusal
    empty_levels : tuple of str
        Levels of the labels without an image, as ``label: level``.
    """

    series: int
    slices: int
    patients: int
    opted_out: int
    refused: tuple[Refusal, ...]
    empty_levels: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "series": self.series,
            "slices": self.slices,
            "patients": self.patients,
            "opted_out": self.opted_out,
            "refused": [str(refusal.problem()) for refusal in self.refused],
            "empty_levels": list(self.empty_levels),
        }
