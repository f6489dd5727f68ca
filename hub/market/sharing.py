"""How revenue is shared: the rule that stands in each agreement, and its application to an amount.

Belongs here: the rule as a checked value. Does not belong here: measuring contributions (``hub.valuation``), the exact
arithmetic (``splits``), postings (``hub.money``).

References
----------
Ghorbani and Zou (2019), Data Shapley; Jia et al. (2019), Efficient task-specific data valuation (KNN-Shapley); Wang and Jia
(2023), Data Banzhaf.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.market import splits
from hub.market.sent import well_formed
from hub.money.accounts import HUB

Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$")]
Part = Annotated[Decimal, Field(ge=0, le=1, max_digits=18)]
Amount = Annotated[Decimal, Field(max_digits=24)]
MEASURED_BY = "valuation:"
"""What begins the source of a split whose numbers the hub took from a valuation; the valuation's digest follows."""


class Basis(StrEnum):
    """Where a split's numbers come from, in words, as an agreement says it."""

    ALONE = "one holder earns all"
    MEASURED = "measured by a valuation"
    STATED = "stated by the holders, not measured"


class Split(BaseModel):
    """Whose data earn what.

    Parameters
    ----------
    utility : str
        In words, what a contribution is measured by; part of the agreement.
    contributions, quality, sizes : dict
        By holder: the measured contribution (below 0 counts as 0), the factor from the label, and records for the floor.
    floor, commission : Decimal
        Part divided by sizes (equally without them); part the hub keeps.
    source : str
        The valuation that measured the contributions, by its digest (``MEASURED_BY``); without it they are stated.
    basis : Basis
        What follows from the others, so that it stands in the agreement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    utility: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*$")] = Basis.ALONE
    contributions: Annotated[dict[Id, Amount], Field(min_length=1, max_length=500)]
    quality: dict[Id, Part] = {}
    sizes: dict[Id, Annotated[Decimal, Field(gt=0, max_digits=24)]] = {}
    floor: Part = Decimal(0)
    commission: Annotated[Decimal, Field(ge=0, le=Decimal("0.3"), max_digits=18)] = Decimal(0)
    source: Annotated[str, Field(max_length=120, pattern=r"^[A-Za-z0-9:_./-]*$")] = ""
    basis: Basis = Basis.STATED

    @model_validator(mode="before")
    @classmethod
    def _based(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        found = _basis(values.get("source"), values.get("contributions"))
        if values.get("basis", found) != found:
            raise ValueError(f"the basis of these numbers is: {found}")
        return values | {"basis": found}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if HUB in self.contributions:
            raise ValueError("the hub is no holder")
        self.shares()
        return self

    def shares(self) -> dict[str, Fraction]:
        """Exact parts of the net amount that add up to 1; the hub's is its commission."""
        floor = splits.Floor(self.floor, self.sizes) if self.floor else None
        among = splits.shares(self.contributions, quality=self.quality or None, floor=floor)
        rest = 1 - Fraction(self.commission)
        return {HUB: Fraction(self.commission)} | {name: rest * part for name, part in among.items()}

    def divide(self, cents: int) -> dict[str, int]:
        """Whole cents for each holder and the hub; nobody is named who gets nothing."""
        return {name: part for name, part in splits.split(cents, self.shares()).items() if part}

    def plain(self) -> dict[str, Any]:
        """As JSON values, numbers as text: for those who earn and for the books."""
        return self.model_dump(mode="json")

    def told(self) -> dict[str, Any]:
        """What offers and agreements say of it: no holder's number, which is a figure of patients without noise."""
        said = self.model_dump(mode="json", include={"utility", "basis", "source", "floor", "commission"})
        return said | {"holders": len(self.contributions)}


def _basis(source: Any, contributions: Any) -> Basis:
    if isinstance(source, str) and source.strip().startswith(MEASURED_BY):
        return Basis.MEASURED
    return Basis.ALONE if isinstance(contributions, dict) and len(contributions) == 1 else Basis.STATED


def sole(holder: str, *, commission: Decimal = Decimal(0)) -> Split:
    """One holder's own data."""
    return Split(contributions={holder: Decimal(1)}, commission=commission)


def read_split(values: Any) -> Split:
    """A split from JSON.

    Raises
    ------
    ParameterError
        A number is out of its range, or nobody contributed.
    """
    with well_formed("a split"):
        return Split.model_validate(values)
