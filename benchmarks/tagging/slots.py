"""Training sentences from the lines of ``sentences``: slots in braces, filled by chance.

``P`` full name, ``G`` given, ``F`` family, ``FG`` family name first, ``I`` initials and family, ``U`` in capitals, ``p g f`` in lower case;
``L`` town, ``O`` organisation, ``A`` address, ``D`` date, ``d`` date without year, ``N`` record number, ``T`` telephone, ``ID`` national
number, ``E`` e-mail; and what is no identifier: ``X`` eponym, ``M`` drug, ``V`` brand, ``w m`` word, ``C`` country, ``n y`` number,
``title``, ``role``, ``rel``. ``{G:lle}`` is inflected.
"""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.tagging.draws import CODES, IDS, PHONES, SHORT_DATES, Draws
from deidentification.text.measuring import Annotated
from deidentification.text.spans import Kind, Span

SENTENCES = Path(__file__).parent / "sentences"
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_KINDS = {
    **dict.fromkeys(("P", "G", "F", "FG", "I", "U", "p", "g", "f"), Kind.PERSON), "L": Kind.LOCATION, "O": Kind.ORGANISATION, "A": Kind.ADDRESS,
    "D": Kind.DATE, "d": Kind.DATE, "N": Kind.MRN, "T": Kind.PHONE, "ID": Kind.NATIONAL_ID, "E": Kind.EMAIL,
}  # fmt: skip


def lines(code: str) -> list[str]:
    """Sentences with slots of one language."""
    text = (SENTENCES / f"{code}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def filled(line: str, draws: Draws) -> Annotated:
    """A sentence with each slot filled."""
    text, spans, end = "", [], 0
    for slot in _SLOT.finditer(line):
        text += line[end : slot.start()]
        value = _value(slot[1], slot[2], draws, starts=not text or text.endswith((". ", ": ", "| ")))
        if kind := _KINDS.get(slot[1]):
            spans.append(Span(len(text), len(text) + len(value), kind))
        text += value
        end = slot.end()
    return Annotated(text + line[end:], tuple(spans))


def _value(slot: str, ending: str | None, draws: Draws, *, starts: bool) -> str:
    value = _makers(draws)[slot]()
    if ending:
        value = draws.inflected(value, ending)
    upper = slot == "w" or (starts and slot in ("title", "role", "rel", "m", "M"))
    return value[0].upper() + value[1:] if upper else value


def _makers(draws: Draws) -> dict[str, Callable[[], str]]:
    random, code = draws.random, draws.code
    return {
        "P": draws.full, "G": draws.given, "F": draws.family, "FG": draws.listed_form, "I": draws.initialled, "U": draws.capitals,
        "p": lambda: draws.full().lower(), "g": lambda: draws.given().lower(), "f": lambda: draws.family().lower(),
        "L": draws.place, "O": draws.organisation, "A": draws.address, "D": draws.date, "d": lambda: draws.date(SHORT_DATES),
        "N": lambda: draws.shaped(random.choice(CODES)), "T": lambda: draws.shaped(random.choice(PHONES[code])),
        "ID": lambda: draws.shaped(random.choice(IDS[code])), "E": draws.email, "X": draws.eponym, "M": draws.drug, "V": draws.brand,
        "w": draws.word, "m": draws.word, "C": draws.country, "n": lambda: str(random.choice([random.randint(1, 12), random.randint(1, 99), random.randint(1, 400)])),
        "y": lambda: str(random.randint(1950, 2024)), "title": lambda: _title(draws), "role": lambda: draws.listed("roles"), "rel": lambda: draws.listed("relatives"),
    }  # fmt: skip


def _title(draws: Draws) -> str:
    title = draws.listed("titles")
    return title.capitalize() if draws.code == "en" or draws.random.random() < 0.5 else title
