"""What may be told of the checks outside the hospital: shares of checks that pass, never a count of records.

Belongs here: the facts for the label of a data set. Does not belong here: the label itself (``hub.catalogue``).

References
----------
Regulation (EU) 2025/327, Article 78(3)(b): technical quality, completeness, uniqueness, accuracy, validity, timeliness and
consistency of the data.
"""

from harmonisation.quality.results import Result, Results
from harmonisation.quality.types import Category

_VALID = {"cdmDatatype", "fkDomain", "fkClass", "isStandardValidConcept", "plausibleUnitConceptIds"}
_UNIQUE = {"isPrimaryKey", "measureObservationPeriodOverlap"}
_CONSISTENT = {
    "isForeignKey",
    "plausibleTemporalAfter",
    "plausibleStartBeforeEnd",
    "withinVisitDates",
    "codebookConstraint",
}


def quality_facts(results: Results) -> dict[str, str]:
    """Facts for ``Label.technical_quality``, by name of the quality that Article 78(3)(b) asks for.

    Parameters
    ----------
    results : Results
        Of the real data. Only shares of passed checks in whole percent go out.
    """
    parts = {
        "completeness (checks)": results.of(Category.COMPLETENESS),
        "conformance (checks)": results.of(Category.CONFORMANCE),
        "accuracy (checks of plausibility)": results.of(Category.PLAUSIBILITY),
        "validity (checks)": _named(results, _VALID),
        "uniqueness (checks)": _named(results, _UNIQUE),
        "consistency (checks)": _named(results, _CONSISTENT),
    }
    facts = {name: _share(checks) for name, checks in parts.items() if checks}
    unchecked = sum(not one.applies for one in results)
    return facts | ({"not applicable": f"{unchecked} checks had nothing to check"} if unchecked else {})


def _named(results: Results, names: set[str]) -> list[Result]:
    return [one for one in results if one.applies and one.check in names]


def _share(checks: list[Result]) -> str:
    passed = sum(not one.failed for one in checks)
    # 999 of 1,000 must not read as all of them.
    percent = int(100 * passed / len(checks))
    return f"{percent} % of {len(checks)} checks pass"
