"""An invoice or credit note as a value: parties, lines, VAT and totals.

Belongs here: the arithmetic, in cents. Does not belong here: numbers and booking (``invoices``), its forms as XML and PDF
(``ubl``, ``pdf``).

References
----------
EN 16931-1:2017, the semantic model; its rules BR-CO-10, -13 to -17 (sums; VAT by category is rounded once).
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.money.currency import EURO, LARGEST, minor_units
from hub.money.parties import Party
from hub.money.vat import OUTSIDE, REVERSE, Treatment

Cents = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Value):
    """``cents`` net for ``words``; ``shares`` say who earns it, and add up to it."""

    words: Annotated[str, Field(min_length=1, max_length=200)]
    cents: Cents
    shares: dict[str, Annotated[int, Field(ge=0, strict=True)]]
    category: Literal["S", "AE", "E", "O"]
    rate: Annotated[Decimal, Field(ge=0, le=100)]
    code: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(self.shares.values()) != self.cents:
            raise ValueError("must be divided into shares that add up to it")
        return self

    @classmethod
    def of(cls, words: str, cents: int, shares: dict[str, int], vat: Treatment) -> Self:
        """A line with its VAT."""
        taxed = {"category": vat.category, "rate": vat.rate, "code": vat.code, "reason": vat.reason}
        return cls.model_validate({"words": words, "cents": cents, "shares": shares, **taxed})


class VatGroup(_Value):
    """All lines of one category and rate."""

    category: str
    rate: Decimal
    code: str
    reason: str
    taxable: int
    tax: int


class Document(_Value):
    """The whole; ``kind`` is ``invoice`` or ``credit_note``, whose amounts are positive as well."""

    kind: Literal["invoice", "credit_note"]
    number: str
    issued_on: date
    due_on: date | None = None
    currency: str = EURO
    seller: Party
    buyer: Party
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=1000)]
    reference: str = ""
    credits: str = ""
    credits_on: date | None = None
    note: Annotated[str, Field(max_length=400)] = ""

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        minor_units(self.currency)
        categories = {line.category for line in self.lines}
        if OUTSIDE in categories and len(categories) > 1:
            raise ValueError("lines outside the scope of VAT must be on an invoice of their own (BR-O-11)")
        if REVERSE in categories and not (self.seller.vat_id and self.buyer.vat_id):
            raise ValueError("reverse charge needs the VAT numbers of both (BR-AE-02)")
        if categories & {"S", "E"} and not self.seller.vat_id:
            raise ValueError("an invoice with VAT needs the seller's VAT number (BR-S-02, BR-E-02)")
        return self

    @property
    def groups(self) -> list[VatGroup]:
        """VAT by category and rate, each rounded once, half up."""
        return _grouped(self.lines)

    @property
    def net(self) -> int:
        """Sum of lines."""
        return sum(line.cents for line in self.lines)

    @property
    def tax(self) -> int:
        """Sum of VAT."""
        return sum(group.tax for group in self.groups)

    @property
    def gross(self) -> int:
        """What is to be paid."""
        return self.net + self.tax

    @property
    def shares(self) -> dict[str, int]:
        """What each payee earns, net."""
        found: dict[str, int] = {}
        for line in self.lines:
            for name, cents in line.shares.items():
                found[name] = found.get(name, 0) + cents
        return found


def _grouped(lines: Sequence[Line]) -> list[VatGroup]:
    sums: dict[tuple[str, Decimal, str, str], int] = {}
    for line in lines:
        key = (line.category, line.rate, line.code, line.reason)
        sums[key] = sums.get(key, 0) + line.cents
    return [
        VatGroup(category=c, rate=r, code=code, reason=why, taxable=cents, tax=_tax(cents, r))
        for (c, r, code, why), cents in sorted(sums.items())
    ]


def _tax(cents: int, rate: Decimal) -> int:
    return int((cents * rate / 100).quantize(Decimal(1), ROUND_HALF_UP))
