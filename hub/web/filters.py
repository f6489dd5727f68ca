"""Template filters: dates, times, sizes and numbers as people write them.

Belongs here: formats by language. Does not belong here: words.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hub.money.currency import minor_units


def day(language: str) -> Callable[[date | datetime | None], str]:
    """``25 November 2026``, ``25.11.2026``."""

    def written(value: date | datetime | None) -> str:
        if value is None:
            return "–"
        return f"{value.day}.{value.month}.{value.year}" if language == "fi" else f"{value:%-d %B %Y}"

    return written


def moment(language: str) -> Callable[[datetime | None], str]:
    """A day and a time in UTC, to the minute."""
    of_day = day(language)
    return lambda value: "–" if value is None else f"{of_day(value)} {value:%H:%M} UTC"


def size(language: str) -> Callable[[int], str]:
    """Bytes as KiB, MiB or GiB."""

    def written(value: int) -> str:
        amount, unit = float(value), "B"
        for larger in ("KiB", "MiB", "GiB"):
            if amount < 1024:
                break
            amount, unit = amount / 1024, larger
        text = f"{amount:.0f}" if unit == "B" or amount >= 10 else f"{amount:.1f}"
        return f"{_point(text, language)} {unit}"

    return written


def number(language: str) -> Callable[..., str]:
    """A figure with grouped thousands and a fixed number of decimals; unknown figures are a dash."""

    def written(value: Any, decimals: int = 0) -> str:
        if value is None:
            return "–"
        return _point(f"{value:,.{decimals}f}".replace(",", "\N{NO-BREAK SPACE}"), language)

    return written


def money(language: str) -> Callable[..., str]:
    """Minor units as an amount with its currency."""

    def shown(cents: int, currency: str) -> str:
        text = f"{Decimal(cents).scaleb(-minor_units(currency)):,.{minor_units(currency)}f}"
        return f"{_point(text.replace(',', chr(0xA0)), language)}\N{NO-BREAK SPACE}{currency}"

    return shown


def _point(text: str, language: str) -> str:
    return text.replace(".", ",") if language == "fi" else text


FILTERS: dict[str, Callable[[str], Callable[..., str]]] = {
    "day": day, "moment": moment, "size": size, "number": number, "money": money,
}  # fmt: skip
