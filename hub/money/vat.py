"""VAT on services: which category and rate a sale has, by a table of countries.

Belongs here: the rule and the table's reader. Does not belong here: what a line costs (``invoice``).

The table holds the standard rates of one day; rates of other days, reduced rates, and national exceptions (islands, small
enterprises) are not in it. It is a default for the seller, who answers for the invoice.

References
----------
Directive 2006/112/EC, Articles 13 (bodies of public law), 44, 45, 58 (place of supply), 96 (standard rate), 196 (reverse charge);
UNCL 5305 (categories) and VATEX (reasons) as EN 16931 uses them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from records.errors import ParameterError

TABLE = Path(__file__).parent / "vat.yaml"
STANDARD, REVERSE, EXEMPT, OUTSIDE = "S", "AE", "E", "O"
REASONS = {
    REVERSE: ("VATEX-EU-AE", "Reverse charge: the recipient accounts for VAT (Directive 2006/112/EC, Article 196)"),
    OUTSIDE: ("VATEX-EU-O", "Not subject to VAT"),
}


@dataclass(frozen=True)
class Treatment:
    """A VAT category with its rate in percent; the reason where no VAT is charged."""

    category: str
    rate: Decimal
    code: str = ""
    reason: str = ""


@cache
def standard_rates() -> dict[str, Decimal]:
    """Standard rates by country (ISO 3166-1)."""
    return {str(code): Decimal(rate) for code, rate in _table()["standard"].items()}


def as_of() -> tuple[date, str]:
    """Day and source of the table."""
    return _table()["date"], _table()["source"]


def treatment(seller: str, buyer: str, *, business: bool, exempt: str = "", public_task: bool = False) -> Treatment:
    """How a service from country ``seller`` to country ``buyer`` is taxed.

    Parameters
    ----------
    business : bool
        The buyer is a taxable person with a VAT number.
    exempt : str
        Why the sale is exempt, if it is; stands on the invoice.
    public_task : bool
        The seller acts as a public authority (Article 13(1)): outside the scope of VAT.

    Raises
    ------
    ParameterError
        The seller's country is not in the table.
    """
    if public_task:
        return Treatment(OUTSIDE, Decimal(0), *REASONS[OUTSIDE])
    if exempt:
        return Treatment(EXEMPT, Decimal(0), "", exempt)
    rates = standard_rates()
    if seller not in rates:
        raise ParameterError("a seller must be in a country of the VAT table, got another; name its exemption")
    if buyer not in rates:  # Articles 44 and 59: supplied where the buyer is
        return Treatment(OUTSIDE, Decimal(0), *REASONS[OUTSIDE])
    if business and buyer != seller:
        return Treatment(REVERSE, Decimal(0), *REASONS[REVERSE])
    return Treatment(
        STANDARD, rates[seller if business else buyer]
    )  # Article 58: consumers pay their own country's rate


@cache
def _table() -> dict[str, Any]:
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))
