"""Fees for access to real data: what it cost and nothing more.

Belongs here: from costs to the lines of one invoice, and the refusal of a price above cost. Does not belong here: the market's
free prices (``prices``), the estimate itself (``hub.access.fees``).

References
----------
Regulation (EU) 2025/327, Article 62(1) (fees in proportion to the cost, no restriction of competition), 62(2) (the holder's part
of compiling and preparing), 62(5) (estimates told beforehand).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.access.fees import Estimate
from hub.money.currency import whole
from records.errors import ParameterError

Payee = Literal["body", "holder", "processing"]
CENTS = 100


@dataclass(frozen=True)
class Charge:
    """One line: ``cents`` asked for work that cost ``cost`` cents, net of VAT."""

    payee: Payee
    words: str
    cents: int
    cost: int


def expected(estimate: Estimate) -> list[Charge]:
    """An estimate as charges at cost, in cents; lines of nothing are left out."""
    return [
        Charge(_payee(line.payee, line.words), line.words, line.euros * CENTS, line.euros * CENTS)
        for line in estimate.lines
        if line.euros
    ]


def checked(charges: Sequence[Charge], accepted: Estimate) -> list[Charge]:
    """The charges, if none is above cost and together they keep to the estimate that the user accepted.

    Raises
    ------
    ParameterError
        A price is above cost (Article 62(1)), or the sum above the accepted estimate.
    """
    for charge in charges:
        if not 0 <= whole(charge.cents) <= whole(charge.cost):
            raise ParameterError("a fee for access to data must be at most its cost, got more; charge what it cost")
    if sum(charge.cents for charge in charges) > accepted.total * CENTS:
        raise ParameterError("fees must keep to the accepted estimate, got more; tell a new estimate first")
    return list(charges)


def _payee(payee: str, words: str) -> Payee:
    if words == "Processing":
        return "processing"
    return "holder" if payee == "holder" else "body"
