"""National person numbers of the partners' countries: their written form and their check digits.

Belongs here: form and validity of one number. Does not belong here: looking for them in tables (``scan``) or prose.
The check digits are those of python-stdnum; the Swedish coordination number, which it lacks, is a personal number
whose day is 60 higher. Portugal's número de utente is left to its label (``patterns``): no check digit is published.

References
----------
FI: Valtioneuvoston asetus 690/2022 (century signs since 2023). SE: Folkbokföringslag (1991:481) 18-18 a §§.
ES: Real Decreto 1553/2005, art. 11. IT: Decreto ministeriale 23 dicembre 1976. BE: Koninklijk besluit 3 april 1984.
PT: Decreto-Lei 14/2013; Validação de Número de Documento do Cartão de Cidadão (AMA, 2009). UK: NHS Data Dictionary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stdnum import luhn
from stdnum.be import ssn
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.pt import cc, nif
from stdnum.se import personnummer


@dataclass(frozen=True)
class NationalId:
    """A kind of national number.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2.
    name : str
        As the country calls it.
    pattern : str
        Regular expression of its written forms inside a text, for ``re`` and for polars (no look-around).
    valid : callable
        Whether a match of ``pattern`` has a possible date and the right check digits.
    """

    country: str
    name: str
    pattern: str
    valid: Callable[[str], bool]


def _finnish(number: str) -> bool:
    return hetu.is_valid(number, allow_temporary=True)  # hospitals give the numbers 900-999 themselves


def _swedish(number: str) -> bool:
    """Personnummer, or samordningsnummer with the day raised by 60; the check digit counts the raised day."""
    try:
        compact = personnummer.compact(number)
        serial, day = compact[-5:], int(compact[-7:-5])
        personnummer.get_birth_date(f"{compact[:-7]}{day - 60 if day > 60 else day:02d}{serial}")
    except (ValidationError, ValueError):
        return False
    return luhn.is_valid((compact[:-5] + compact[-4:])[-10:])


def _without(separators: str, check: Callable[[Any], bool]) -> Callable[[str], bool]:
    table = str.maketrans("", "", separators)
    return lambda number: check(number.translate(table))


_DNI_LETTER = "[A-HJ-NP-TV-Z]"
_CF_DIGIT = "[0-9LMNPQRSTUV]"  # letters take the place of digits where two people would share a code

NATIONAL_IDS: tuple[NationalId, ...] = (
    NationalId(
        "FI", "henkilötunnus", r"(?i)\b[0-3]\d[01]\d{3}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b", _finnish,
    ),
    NationalId("SE", "personnummer", r"\b(?:1[89]|20)?\d{2}[01]\d[0-9]\d[-+]?\d{4}\b", _swedish),
    NationalId(
        "ES", "DNI", rf"(?i)\b\d{{2}}\.?\d{{3}}\.?\d{{3}}[- ]?{_DNI_LETTER}\b", _without(".- ", dni.is_valid)
    ),
    NationalId("ES", "NIE", rf"(?i)\b[XYZ][- ]?\d{{7}}[- ]?{_DNI_LETTER}\b", _without("- ", nie.is_valid)),
    NationalId(
        "IT", "codice fiscale",
        rf"(?i)\b[A-Z]{{6}}{_CF_DIGIT}{{2}}[ABCDEHLMPRST]{_CF_DIGIT}{{2}}[A-Z]{_CF_DIGIT}{{3}}[A-Z]\b",
        codicefiscale.is_valid,
    ),
    NationalId("BE", "rijksregisternummer", r"\b\d{2}\.?\d{2}\.?[0-3]\d[- ]?\d{3}[. ]?\d{2}\b", ssn.is_valid),
    NationalId("PT", "NIF", r"\b(?:[123]\d|45)\d ?\d{3} ?\d{3}\b", nif.is_valid),
    NationalId("PT", "Cartão de Cidadão", r"(?i)\b\d{8} ?\d ?[A-Z0-9]{2}\d\b", cc.is_valid),
    NationalId("UK", "NHS number", r"\b\d{3}[- ]?\d{3}[- ]?\d{4}\b", nhs.is_valid),
)  # fmt: skip
"""In this order a number that fits several kinds is called by the first."""
