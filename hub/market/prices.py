"""Prices of the market: free, fixed, subscription, per query, and by privacy budget.

Belongs here: what a purchase costs, from its price and what was used before. Does not belong here: the budget's ledger
(``hub.budget``), invoices (``hub.money``), fees for access to real data, which follow cost (``fees``).

A price by budget is the integral of a step function over the interval of zCDP rho that is bought: the more of a cohort's
budget is gone, the dearer the rest. Integrals over neighbouring intervals add up, and each purchase is rounded up to whole
cents, so that splitting a purchase is never cheaper. Rho adds up under composition, and averaging ``m`` answers of rho / m each
is as exact as one answer of rho: linear in rho leaves no arbitrage between noise levels either.

References
----------
Bun and Steinke (2016), Concentrated differential privacy; Li, Li, Miklau and Suciu (2014), A theory of pricing private data,
ACM TODS 39(4) (arbitrage-free prices); Koutris et al. (2015), Query-based data pricing, JACM 62(5).
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from hub.market.sent import well_formed
from hub.money.currency import EURO, LARGEST, minor_units, whole
from records.errors import BudgetError, ParameterError

Cents = Annotated[int, Field(ge=0, le=LARGEST, strict=True)]
Rho = Fraction | Decimal | float | int


class _Price(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str = EURO

    @field_validator("currency")
    @classmethod
    def _known(cls, code: str) -> str:
        minor_units(code)
        return code


class Free(_Price):
    """Costs nothing."""

    kind: Literal["free"] = "free"

    def cost(self) -> int:
        """In minor units."""
        return 0


class Fixed(_Price):
    """``cents`` once."""

    kind: Literal["fixed"] = "fixed"
    cents: Cents

    def cost(self) -> int:
        """In minor units."""
        return self.cents


class Subscription(_Price):
    """``cents`` for each month that is begun."""

    kind: Literal["subscription"] = "subscription"
    cents: Cents

    def cost(self, months: int) -> int:
        """In minor units."""
        return whole(_count(months, "months") * self.cents)


class PerQuery(_Price):
    """``cents`` for each answer."""

    kind: Literal["per_query"] = "per_query"
    cents: Cents

    def cost(self, queries: int) -> int:
        """In minor units."""
        return whole(_count(queries, "queries") * self.cents)


class Step(BaseModel):
    """From ``share`` of the budget on, one rho costs ``cents_per_rho``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Annotated[Decimal, Field(ge=0, lt=1, max_digits=12)]
    cents_per_rho: Cents


class ByBudget(_Price):
    """By zCDP rho out of a cohort's ``total_rho``; the first step begins at 0, and later ones cost no less."""

    kind: Literal["by_budget"] = "by_budget"
    total_rho: Annotated[Decimal, Field(gt=0, max_digits=24)]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        pairs = list(pairwise(self.steps))
        if self.steps[0].share != 0 or any(a.share >= b.share or a.cents_per_rho > b.cents_per_rho for a, b in pairs):
            raise ValueError("must begin at share 0 and rise in share and price")
        return self

    def cost(self, rho: Rho, used: Rho) -> int:
        """Minor units for ``rho`` after ``used`` of the budget is gone, rounded up.

        Raises
        ------
        ParameterError
            ``rho`` or ``used`` is out of range.
        BudgetError
            Less than ``rho`` is left.
        """
        begin, amount = self._within(used), _exact(rho, "rho")
        if amount <= 0:
            raise ParameterError("rho must be above 0, got another; ask for some budget")
        if begin + amount > Fraction(self.total_rho):
            raise BudgetError("a purchase must fit what is left of the budget, got more; buy less")
        end = begin + amount
        pieces = ((max(low, begin), min(high, end), price) for low, high, price in self._pieces())
        return whole(ceil(sum((price * (high - low) for low, high, price in pieces if high > low), Fraction(0))))

    def affordable(self, cents: int, used: Rho) -> Fraction:
        """The most rho that ``cents`` buy after ``used``."""
        at, left = self._within(used), Fraction(whole(cents))
        begin = at
        for low, high, price in self._pieces():
            length = high - max(low, at)
            if length <= 0:
                continue
            taken = length if price == 0 else min(length, left / price)
            at, left = max(low, at) + taken, left - taken * price
            if taken < length:
                break
        return at - begin

    def _within(self, used: Rho) -> Fraction:
        gone = _exact(used, "used rho")
        if not 0 <= gone <= Fraction(self.total_rho):
            raise ParameterError("used rho must be within the budget, got another; no stock is negative")
        return gone

    def _pieces(self) -> Iterator[tuple[Fraction, Fraction, int]]:
        total = Fraction(self.total_rho)
        ends = [*(Fraction(step.share) for step in self.steps[1:]), Fraction(1)]
        for step, end in zip(self.steps, ends, strict=True):
            yield Fraction(step.share) * total, end * total, step.cents_per_rho


Price = Annotated[Free | Fixed | Subscription | PerQuery | ByBudget, Field(discriminator="kind")]
_ANY: TypeAdapter[Free | Fixed | Subscription | PerQuery | ByBudget] = TypeAdapter(Price)


def read_price(value: Any) -> Free | Fixed | Subscription | PerQuery | ByBudget:
    """A price from its JSON values.

    Raises
    ------
    ParameterError
        It has a fraction of a cent, an unknown currency, falling steps, or another mistake.
    """
    with well_formed("a price"):
        return _ANY.validate_python(value)


def _count(number: Any, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ParameterError(f"{what} must be a whole number of at least 1, got another; count again")
    return number


def _exact(value: Rho, what: str) -> Fraction:
    try:
        return Fraction(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"{what} must be a number, got another; write it again") from error
