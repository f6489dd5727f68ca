"""How money leaves and comes in: the interface of a payment service.

Belongs here: what any such service must do. Does not belong here: the bank's files (``sepa``, ``camt``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hub.money.parties import Party


@dataclass(frozen=True)
class Transfer:
    """Pay ``cents``; ``id`` comes back in the bank's statement."""

    id: str
    name: str
    iban: str
    bic: str
    cents: int
    words: str


@dataclass(frozen=True)
class Receipt:
    """One booked movement: above zero came in, below went out. ``id`` is the bank's own, ``transfer`` names ours."""

    id: str
    cents: int
    currency: str
    on: date
    reference: str = ""
    transfer: str = ""


class PaymentGateway(Protocol):
    """Carries out payments and tells of those that were carried out."""

    def instruct(self, transfers: Sequence[Transfer], debtor: Party, *, id: str, at: datetime, on: date) -> bytes:
        """What tells the bank to pay on day ``on``."""
        ...

    def read(self, statement: bytes, creditor: Party) -> list[Receipt]:
        """The movements in a statement of the creditor's account."""
        ...
