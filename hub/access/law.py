"""The Regulation's clocks, purposes, prohibited uses and categories, each with its place.

Belongs here: constants of Regulation (EU) 2025/327 and when a clock ends. Does not belong here: which step starts a clock
(``states``).

Where a Member State's law adds a rule (fees, appeals, opt-out exceptions, ethics), the hub asks for the information and the
body decides; no number is invented here. The Regulation gives the body no own clock for the check of completeness: the
four weeks are the applicant's, to complete the application; the decision's clock starts with the complete application.

References
----------
Regulation (EU) 2025/327, Articles 51 to 75. http://data.europa.eu/eli/reg/2025/327/oj Regulation (EEC, Euratom)
No 1182/71, Article 3 (how periods run).
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.access.periods import NO_HOLIDAYS, add_months, add_working_days, end_of, working_day_from


@dataclass(frozen=True)
class Clock:
    """A period: how long, how much it may be prolonged once, where it is written and what it asks for."""

    name: str
    article: str
    words: str
    months: int = 0
    weeks: int = 0
    working_days: int = 0
    longer_months: int = 0

    def end(self, start: datetime, holidays: Container[date] = NO_HOLIDAYS) -> datetime:
        """The last moment of the period that an event at ``start`` sets going."""
        return self._end(start, self.months, holidays)

    def longer_end(self, start: datetime, holidays: Container[date] = NO_HOLIDAYS) -> datetime:
        """The last moment once the period was prolonged."""
        return self._end(start, self.months + self.longer_months, holidays)

    def _end(self, start: datetime, months: int, holidays: Container[date]) -> datetime:
        if self.working_days:
            return end_of(add_working_days(start.date(), self.working_days, holidays))
        last = add_months(start.date(), months) + timedelta(weeks=self.weeks)
        return end_of(working_day_from(last, holidays))


COMPLETION = Clock("completion", "68(4)", "The applicant completes the application", weeks=4)
DECISION = Clock("decision", "68(4)", "The body decides on the application", months=3, longer_months=3)
ACCELERATED = Clock("accelerated", "68(6)", "The body decides in the accelerated procedure", months=2, longer_months=1)
TRUSTED_ASSESSMENT = Clock("trusted_assessment", "72(5)", "The trusted data holder assesses", months=2)
TRUSTED_DECISION = Clock("trusted_decision", "72(5)", "The body decides on the trusted holder's proposal", months=2)
HOLDER_DELIVERY = Clock("holder_delivery", "60(2)", "The data holder hands over the data", months=3, longer_months=3)
BODY_DELIVERY = Clock("body_delivery", "68(7)", "The body makes the data available", months=2)
STATISTICS_ASSESSMENT = Clock("statistics_assessment", "69(4)", "The body assesses the health data request", months=3)
STATISTICS_RESPONSE = Clock("statistics_response", "69(4)", "The body answers with statistics", months=3)
PUBLICATION = Clock("publication", "57(1)(j)(iii)", "The body publishes the decision", working_days=30)
RESULTS = Clock("results", "61(4)", "The user makes the results public", months=18)
DELETION = Clock("deletion", "68(12)", "The data in the secure environment are deleted", months=6)
FEE_AGREEMENT = Clock("fee_agreement", "62(4)", "Holder and user agree on the fees", months=1)
CLOCKS = {
    clock.name: clock
    for clock in (
        COMPLETION, DECISION, ACCELERATED, TRUSTED_ASSESSMENT, TRUSTED_DECISION, HOLDER_DELIVERY, BODY_DELIVERY,
        STATISTICS_ASSESSMENT, STATISTICS_RESPONSE, PUBLICATION, RESULTS, DELETION, FEE_AGREEMENT,
    )
}  # fmt: skip

# Article 68(12): up to ten years, extended once by up to ten years, asked for with reasons one month before the end.
PERMIT_MONTHS = EXTENSION_MONTHS = 120
EXTENSIONS = 1
EXTENSION_NOTICE_MONTHS = 1


def extension_closes(valid_until: datetime) -> datetime:
    """The last moment to ask for a permit's extension."""
    return end_of(add_months(valid_until.date(), -EXTENSION_NOTICE_MONTHS))


PURPOSES = {
    "a": "Public interest in public or occupational health",
    "b": "Policymaking and regulatory activities",
    "c": "Official statistics on health or care",
    "d": "Education or teaching in health or care",
    "e": "Scientific research related to health or care",
    "f": "Improving the delivery of care, treatment and healthcare",
}
"""Article 53(1), by letter."""

PUBLIC_BODY_PURPOSES = frozenset("abc")
"""Article 53(2): reserved for public sector bodies and Union institutions."""

PROHIBITED_USES = {
    "a": "Decisions detrimental to a person or a group, based on their health data",
    "b": "Decisions on job offers, insurance, credit or terms of goods and services, or other discrimination",
    "c": "Advertising or marketing",
    "d": "Products or services that may harm people, public health or society",
    "e": "Activities against ethical provisions of national law",
}
"""Article 54, by letter."""

CRITERIA = {
    "a": "The purposes are among those of Article 53(1)",
    "b": "The data are necessary, adequate and proportionate",
    "c": "Data protection law is complied with; pseudonymised data are justified",
    "d": "The applicant is qualified and has the expertise",
    "e": "Measures against misuse are sufficient",
    "f": "Ethical aspects comply with national law, where applicable",
    "g": "An exception of Article 71(4) is justified, where applicable",
    "h": "All other requirements are fulfilled",
}
"""Article 68(1), by letter: what is assessed."""


def purpose_iri(letter: str) -> str:
    """The European Legislation Identifier of a purpose of Article 53(1)."""
    return f"http://data.europa.eu/eli/reg/2025/327/art_53/par_1/pnt_{letter}/oj"
