"""Who the patients of a home's cohorts are, by their identifiers.

Belongs here: reading the identifiers of every use case's cohort. Does not belong here: what is looked up among them.
"""

import polars as pl

from orchestration.settings import Settings
from records.errors import PhaseIVError


def home_patients(settings: Settings) -> dict[str, pl.Series | None]:
    """Identifiers by use case; None where the cohort could not be read. Cohorts without identifiers are left out."""
    from use_cases.registry import discover
    from use_cases.sources import read_source

    found = {}
    for key, use_case in discover().items():
        try:
            cohort, place = use_case.chosen(settings.cohorts.get(key))
            if cohort.table.identifier is not None:
                frame = cohort.load() if place is None else read_source(cohort, place).frame
                found[key] = frame[cohort.table.identifier.name]
        except (PhaseIVError, OSError, pl.exceptions.PolarsError):
            found[key] = None
    return found
