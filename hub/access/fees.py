"""The estimate of fees, shown before an application is sent in.

Belongs here: lines and their costs. Does not belong here: invoices.

Fees follow cost and nothing else: no price of the data, no profit. The unit costs are this deployment's assumptions; a
Member State may reduce them for public bodies, university researchers and microenterprises.

References
----------
Regulation (EU) 2025/327, Article 62(1) (in proportion to cost), 62(2) (the holder's part), 62(5) (told beforehand).
"""

from dataclasses import asdict, dataclass
from typing import Any

from hub.access.form import Form, Kind

HOUR_EUROS = 60
ENVIRONMENT_MONTH_EUROS = 150
RUN_EUROS = 1
BODY_HOURS = {Kind.SYNTHETIC: 2, Kind.STATISTICS: 6, Kind.PERMIT: 16, Kind.MPC: 12}
HOLDER_HOURS = {Kind.SYNTHETIC: 0, Kind.STATISTICS: 4, Kind.PERMIT: 8, Kind.MPC: 4}
PSEUDONYMISATION_HOURS = 6
DEFAULT_MONTHS = 12


@dataclass(frozen=True)
class Line:
    """One line: who bears the cost, what for, how much of it."""

    payee: str
    words: str
    euros: int


@dataclass(frozen=True)
class Estimate:
    """All lines of an estimate."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        """Sum in euros."""
        return sum(line.euros for line in self.lines)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"currency": "EUR", "total": self.total, "lines": [asdict(line) for line in self.lines]}


def estimate(form: Form, *, by_offer: bool = False) -> Estimate:
    """What the application will cost at most; under a standing offer nobody assesses it again."""
    sets = max(1, len(form.dataset_ids))
    body = 0 if by_offer else BODY_HOURS[form.kind]
    holder = 0 if by_offer else HOLDER_HOURS[form.kind] * sets
    if form.data_format == "pseudonymised":
        body += PSEUDONYMISATION_HOURS
    return Estimate(
        (
            Line("body", "Assessment and decision", body * HOUR_EUROS),
            Line("holder", "Compiling and preparing the data", holder * HOUR_EUROS),
            Line("body", "Processing", _processing(form)),
        )
    )


def _processing(form: Form) -> int:
    if form.kind in (Kind.PERMIT, Kind.MPC):
        return (form.months or DEFAULT_MONTHS) * ENVIRONMENT_MONTH_EUROS
    return RUN_EUROS
