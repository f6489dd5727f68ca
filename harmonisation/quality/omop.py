"""All checks on OMOP tables.

Belongs here: putting the checks together. Does not belong here: their rules, or the way a cohort becomes OMOP
(``harmonisation.omop``).
"""

from collections.abc import Iterable
from datetime import date

from harmonisation.omop.cdm import Cdm
from harmonisation.quality import completeness, concepts, conformance, plausibility
from harmonisation.quality.concepts import ConceptRule
from harmonisation.quality.context import Context, Override
from harmonisation.quality.results import Results, joined


def check_cdm(
    cdm: Cdm,
    *,
    source: str,
    today: date,
    rules: Iterable[ConceptRule] = (),
    thresholds: Override | None = None,
) -> Results:
    """Check OMOP tables by the 27 check types of the DataQualityDashboard.

    Parameters
    ----------
    cdm : Cdm
        Tables as they are; they need not keep the model's form.
    source : str
        What was checked, named for the reader.
    today : date
        The day of the check: dates after the next day are implausible.
    rules : iterable of ConceptRule
        Bounds and units of a codebook, see ``concepts.rules_of``.
    thresholds : mapping of (check, table, field) to float
        Percentages, 0 to 100, in place of the usual ones.

    Returns
    -------
    Results
        Checks that need the vocabulary, or a table that is not there, say why they do not apply.
    """
    context = Context(cdm, today, thresholds or {})
    measures = [
        *conformance.keys(context), *conformance.concepts(context), *completeness.people(context),
        *completeness.values(context), *completeness.mapped(context), *plausibility.bounds(context),
        *plausibility.lives(context), *plausibility.order(context), *plausibility.periods(context),
        *concepts.values(rules), *concepts.genders(context),
    ]  # fmt: skip
    return joined(source, (conformance.form(context), context.count(measures)))
