"""The chart of accounts.

Belongs here: which accounts there are and what each is for. Does not belong here: postings (``ledger``).

Signs are those of entries: a debit is above zero. What a person is owed is therefore below zero on ``payable``.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256

from hub.money.currency import EURO, minor_units

HUB = "hub"
ID_LENGTH = 32


class Kind(StrEnum):
    """The four kinds of accounts."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


@lru_cache(maxsize=10_000)
def account_id(kind: str, name: str, owner: str, currency: str) -> str:
    """The first 128 bits of the digest of what an account is."""
    plain = json.dumps([kind, name, owner, currency], separators=(",", ":"))
    return sha256(plain.encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True)
class Place:
    """An account as a value; it is opened by the first entry on it."""

    kind: Kind
    name: str
    owner: str
    currency: str = EURO

    def __post_init__(self) -> None:
        minor_units(self.currency)

    @cached_property
    def id(self) -> str:
        """The account's id."""
        return account_id(self.kind, self.name, self.owner, self.currency)


def bank(currency: str = EURO) -> Place:
    """The hub's account at its bank."""
    return Place(Kind.ASSET, "bank", HUB, currency)


def receivable(payer: str, currency: str = EURO) -> Place:
    """What ``payer`` owes; below zero, what the payer has paid too much."""
    return Place(Kind.ASSET, "receivable", payer, currency)


def payable(payee: str, currency: str = EURO) -> Place:
    """What ``payee`` has earned and may be paid; above zero, what a payee must give back."""
    return Place(Kind.LIABILITY, "payable", payee, currency)


def held(payee: str, currency: str = EURO) -> Place:
    """What ``payee`` has earned but is disputed."""
    return Place(Kind.LIABILITY, "held", payee, currency)


def paying(payee: str, currency: str = EURO) -> Place:
    """What the bank was told to pay ``payee`` and has not confirmed."""
    return Place(Kind.LIABILITY, "paying", payee, currency)


def income(owner: str = HUB, currency: str = EURO) -> Place:
    """What the hub earned itself."""
    return Place(Kind.INCOME, "income", owner, currency)


def vat(issuer: str, currency: str = EURO) -> Place:
    """VAT that ``issuer`` must pass on to the tax authority."""
    return Place(Kind.LIABILITY, "vat", issuer, currency)


def unmatched(currency: str = EURO) -> Place:
    """Money that came in without a reference that is known."""
    return Place(Kind.LIABILITY, "unmatched", HUB, currency)


def clearing(currency: str = EURO) -> Place:
    """Between two transactions of one step; 0 after it."""
    return Place(Kind.LIABILITY, "clearing", HUB, currency)


def written_off(currency: str = EURO) -> Place:
    """What will never be paid."""
    return Place(Kind.EXPENSE, "written off", HUB, currency)
