"""Currencies and amounts in their minor units: whole numbers only, so that no sum ever rounds.

Belongs here: which currencies the books know, reading and writing amounts. Does not belong here: exchange between currencies,
which the books do not do.

References
----------
ISO 4217 (codes and minor units; written down 2026-11-25). Currencies of the EU, the EEA and its main partners.
"""

import re
from decimal import Decimal
from typing import Any

from records.errors import ParameterError

EURO = "EUR"
MINOR_UNITS = {
    "AUD": 2, "BHD": 3, "CAD": 2, "CHF": 2, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HUF": 2, "INR": 2, "ISK": 0,
    "JPY": 0, "KRW": 0, "KWD": 3, "NOK": 2, "NZD": 2, "PLN": 2, "RON": 2, "SEK": 2, "SGD": 2, "TND": 3, "TRY": 2, "UAH": 2,
    "USD": 2,
}  # fmt: skip
AMOUNT = re.compile(r"[+-]?[0-9]{1,14}(\.[0-9]{0,10})?")  # few enough digits for Decimal to hold each
LARGEST = 10**13  # a hundred thousand million euros: sums of a million such entries still fit 64 bits


def minor_units(currency: str) -> int:
    """How many decimals a currency has.

    Raises
    ------
    ParameterError
        The books do not know the currency.
    """
    if not isinstance(currency, str) or currency not in MINOR_UNITS:
        raise ParameterError("a currency must be a code of ISO 4217 that the books know, got another; write EUR")
    return MINOR_UNITS[currency]


def whole(cents: Any) -> int:
    """``cents`` itself, if it is a whole number within the bounds.

    Raises
    ------
    ParameterError
        It is a fraction, no number, or too large.
    """
    if isinstance(cents, bool) or not isinstance(cents, int):
        raise ParameterError("an amount must be a whole number of cents, got another; round it up or down yourself")
    if abs(cents) > LARGEST:
        raise ParameterError(f"an amount must be at most {LARGEST} cents, got more; divide it")
    return cents


def cents_of(text: str, currency: str = EURO) -> int:
    """Minor units from a written amount: ``"12.50"`` is 1250 cents.

    Raises
    ------
    ParameterError
        It is no amount, or has a fraction of a minor unit.
    """
    units, plain = minor_units(currency), text.strip().replace(",", ".")
    if not AMOUNT.fullmatch(plain):
        raise ParameterError("an amount must be a number such as 12.50, got another form; write it again")
    scaled = Decimal(plain).scaleb(units)
    if (cents := int(scaled)) != scaled:
        raise ParameterError(f"an amount must have at most {units} decimals in {currency}, got more; round it")
    return whole(cents)


def written(cents: int, currency: str = EURO) -> str:
    """An amount with its decimals, without the currency: 1250 cents are ``"12.50"``."""
    return f"{Decimal(cents).scaleb(-minor_units(currency)):.{minor_units(currency)}f}"
