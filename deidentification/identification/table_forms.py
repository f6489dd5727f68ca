"""Forms of identifiers that are looked for in cells of tables only: without their separators, or with others.

Belongs here: forms too loose for prose, where the words around a number tell more. Does not belong here: the forms that
prose and tables share (``national_ids``, ``patterns``).
"""

from collections.abc import Callable

from stdnum.fi import hetu
from stdnum.it import codicefiscale


def _finnish_without_sign(number: str) -> bool:
    return hetu.is_valid(f"{number[:6]}-{number[6:]}", allow_temporary=True)


def _italian_spaced(number: str) -> bool:
    return codicefiscale.is_valid(number.replace(" ", ""))


def _always(_: str) -> bool:
    return True


_CF_DIGIT = "[0-9LMNPQRSTUV]"
_PATIENT = r"pat(?:ient(?:en)?)?|potilas|utente|paciente|doente|paziente|patiënt"
_NUMBER = r"id|n(?:o|r|ro|[º°]|úm(?:ero)?|um(?:ero|mer|ber)?)"

TABLE_FORMS: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("FI henkilötunnus", r"(?i)\b[0-3]\d[01]\d{6}[0-9A-FHJ-NPR-Y]\b", _finnish_without_sign),
    (
        "IT codice fiscale",
        rf"(?i)\b[A-Z]{{3}} [A-Z]{{3}} {_CF_DIGIT}{{2}}[ABCDEHLMPRST]{_CF_DIGIT}{{2}} [A-Z]{_CF_DIGIT}{{3}} ?[A-Z]\b",
        _italian_spaced,
    ),
    ("record number", rf"(?i)\b(?:{_PATIENT})[ .-]*(?:{_NUMBER})?[ .:#=-]*\d{{5,12}}\b", _always),
)
"""Name, form for ``re`` and polars, and whether a match is one."""
