"""Which use cases there are: every folder here that holds a ``use_case.yaml``.

Belongs here: discovery. Does not belong here: a list of diseases.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from records.errors import ParameterError
from records.schema import Frozen
from use_cases.cohort import Cohort, load_codebook


class UseCase(Frozen):
    """A disease: its cohorts (the first is the default), k, release limits and privacy budget."""

    key: str
    title: str
    description: str
    owner: str
    k: int
    delta: float
    budget_rho: float
    limits: Mapping[str, float]
    cohorts: tuple[Cohort, ...]

    def cohort(self, name: str) -> Cohort:
        """The cohort called ``name``."""
        for cohort in self.cohorts:
            if cohort.name == name:
                return cohort
        known = ", ".join(c.name for c in self.cohorts)
        raise ParameterError(f"the cohort of {self.key} must be one of {known}, got {name}; choose one of these")

    def chosen(self, setting: str | None) -> tuple[Cohort, str | None]:
        """The cohort and place that a setting names: ``<cohort>``, ``<place>`` or ``<cohort>=<place>``.

        A place is a file, a folder of FHIR bundles or the URL of an OMOP database, see ``use_cases.sources``.
        """
        if not setting:
            return self.cohorts[0], None
        name, named, place = setting.partition("=")
        if named and "://" not in name:
            return self.cohort(name), place
        if any(c.name == setting for c in self.cohorts):
            return self.cohort(setting), None
        return self.cohorts[0], setting


@cache
def discover() -> dict[str, UseCase]:
    """All use cases by key, in alphabetical order."""
    return {path.parent.name: _read(path) for path in sorted(Path(__file__).parent.glob("*/use_case.yaml"))}


def _read(path: Path) -> UseCase:
    entry = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    entry["cohorts"] = tuple(load_codebook(path.parent / f"{name}.yaml") for name in entry["cohorts"])
    return UseCase(key=path.parent.name, **entry)
