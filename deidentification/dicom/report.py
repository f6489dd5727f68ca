"""What a run over a folder did, in counts and codes.

Belongs here: adding files up, the form as JSON. Does not belong here: the run (``folder``). Holds no value and no name
of a source file: a file is told by a code that the hospital can make again from its name and its key.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from deidentification.dicom.options import Option
from deidentification.dicom.profile import EDITION


@dataclass(frozen=True)
class FileOutcome:
    """One source file: its code, and where it went and what was changed, why it was refused, or that its patient opted out."""

    code: str
    reason: str | None = None
    patient: str = ""
    study: str = ""
    series: str = ""
    removed: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    findings: pl.DataFrame | None = None
    opted_out: bool = False


@dataclass(frozen=True)
class FolderReport:
    """Counts of a run; exact counts of real patients, so for the hospital and not for release.

    Parameters
    ----------
    written : int
        Files that came out.
    patients, studies, series : int
        Among those.
    refused : dict of str to str
        Reason by the file's code.
    removed, emptied, replaced : dict of str to int
        Elements by tag, most first.
    findings : polars.DataFrame
        The verifier's table: ``file`` (code), ``check``, ``tag``, ``count``; no row if it found nothing. A file with
        a finding is refused.
    options : tuple of str
        Those of the run.
    opted_out : int
        Files left out because their patients opted out.
    """

    written: int
    patients: int
    studies: int
    series: int
    refused: dict[str, str]
    removed: dict[str, int]
    emptied: dict[str, int]
    replaced: dict[str, int]
    findings: pl.DataFrame
    options: tuple[str, ...]
    opted_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        found = self.findings.group_by("check").agg(pl.col("count").sum(), pl.col("file").n_unique()).sort("check")
        return {
            "standard": f"DICOM PS3.15 {EDITION}", "options": list(self.options), "files_written": self.written,
            "patients": self.patients, "studies": self.studies, "series": self.series,
            "files_opted_out": self.opted_out, "files_refused": len(self.refused), "refused": self.refused,
            "attributes_removed": self.removed, "attributes_emptied": self.emptied,
            "attributes_replaced": self.replaced,
            "verifier": {"files_checked": self.checked, "findings": found.to_dicts()},
        }  # fmt: skip

    @property
    def checked(self) -> int:
        """Files that the verifier looked at."""
        return self.written + self.findings["file"].n_unique()

    def __str__(self) -> str:
        return json.dumps(self.to_json(), indent=2)


FINDINGS = {"file": pl.String, "check": pl.String, "tag": pl.String, "count": pl.Int64}


def report_of(outcomes: list[FileOutcome], options: frozenset[Option]) -> FolderReport:
    """Add up the outcomes of all files of a run."""
    done = [outcome for outcome in outcomes if outcome.reason is None and not outcome.opted_out]
    found = [
        outcome.findings.select(pl.lit(outcome.code).alias("file"), "check", "tag", "count")
        for outcome in outcomes
        if outcome.findings is not None and outcome.findings.height
    ]
    return FolderReport(
        written=len(done),
        patients=len({o.patient for o in done}),
        studies=len({o.study for o in done}),
        series=len({o.series for o in done}),
        refused={o.code: o.reason for o in sorted(outcomes, key=lambda o: o.code) if o.reason is not None},
        removed=_added(o.removed for o in done),
        emptied=_added(o.emptied for o in done),
        replaced=_added(o.replaced for o in done),
        findings=pl.concat([pl.DataFrame(schema=FINDINGS), *found]),
        options=tuple(sorted(option.value for option in options)),
        opted_out=sum(outcome.opted_out for outcome in outcomes),
    )


def _added(counters: Any) -> dict[str, int]:
    total = Counter[str]()
    for counter in counters:
        total.update(counter)
    return dict(total.most_common())
