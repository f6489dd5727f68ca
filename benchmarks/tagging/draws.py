"""Names, numbers, dates and words drawn by chance for training sentences.

Belongs here: what one slot holds. Does not belong here: sentences (``slots``, ``variation``).
"""

import re
import string
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from random import Random

from deidentification.text.dictionary import blocks, words_of
from deidentification.text.language import language
from deidentification.text.surrogates import inflect
from deidentification.text.words import Words, listing

CODES = (
    "AA-999999", "AA/99/99999", "9999999", "A9999999", "99 9999999", "AAAA 999999", "AA9999", "9999/99", "AAA99999999-9999", "9999999-9",
    "A 999 999", "AA-9999/99", "99-9999999-9", "AA-99-99999", "AAAAAA-999", "99A9999999", "AA/999999/A", "AA 9999 9999 9", "AA-99 999 999",
    "999999999 AA", "AA-9999-999999", "A99-99999", "9999/99.99/9999", "AA99/9999", "AAA 9999999", "999 999 999", "99999", "AA-99999-99",
)  # fmt: skip
PHONES = {
    "en": ("07999 999999", "07999-999-999", "+44 9999 999999", "(0199) 999 9999", "0199 999 9999", "01999 999 999", "099 9999 9999", "999 9999"),
    "fi": ("040 999 9999", "050-9999999", "+358 99 999 9999", "09 999 9999", "(017) 999 9999", "045 9999 999", "0400 999 999"),
    "es": ("699 999 999", "6999 99 999", "699.99.99.99", "+34 699 999 999", "999 99 99 99", "91 999 99 99", "0034 699 99 99 99"),
    "it": ("339 9999999", "+39 339 999 9999", "02 99999999", "339.99.99.999", "0999 999 999", "339 99 99 999", "06-9999999"),
    "pt": ("919 999 999", "+351 919 999 999", "21 999 99 99", "239 999 999", "91-999-99-99", "00351 9199 99999", "96 999 99 99"),
}  # fmt: skip
IDS = {
    "en": ("999 999 9999", "AA 99 99 99 A", "9999999999"), "fi": ("999999-999A", "999999A999A"), "es": ("99999999A", "X9999999A"),
    "it": ("AAAAAA99A99A999A", "AAA AAA 99A99 A999A"), "pt": ("999999999", "99999999 9 ZZ9", "999 999 999"),
}  # fmt: skip
STREETS = {
    "en": ("9 {} Road", "Flat 9, 99 {} Street", "The Old {} House, {} Lane", "99 {} Close"), "fi": ("{}tie 9", "{}katu 99 A 9", "{}nkuja 9 B"),
    "es": ("C/ {} 99, 9.º izq.", "calle {} s/n", "Avda. de {} 99", "Pza. {} 9"), "it": ("via {} 99", "c.so {} 9/B", "fraz. {} snc", "viale {} 9 int. 9"),
    "pt": ("Rua {}, 99", "Av. {} 9, 9.º Dto.", "Lugar de {}, s/n", "Rua do {}, n.º 9"),
}  # fmt: skip
PLACES_OF_WORK = {
    "en": ("{} General Hospital", "{} Infirmary", "{} House", "{} & {} Ltd", "{} Medical Centre", "{} Primary School", "{}"),
    "fi": ("{}n sairaala", "{}n terveysasema", "Hoivakoti {}", "{} Oy", "{}n koulu"),
    "es": ("Hospital {}", "Clínica {}", "Residencia {}", "Talleres {}", "IES {}", "Centro de Salud {}"),
    "it": ("Ospedale {}", "Clinica {}", "RSA {}", "Officine {}", "Istituto {}", "Casa di riposo {}"),
    "pt": ("Hospital de {}", "Clínica {}", "Lar {}", "USF {}", "Escola {}", "Centro Hospitalar de {}"),
}  # fmt: skip
COUNTRIES = {
    "en": "Pakistan Poland Somalia India Ireland Turkey Nigeria Spain", "fi": "Somalia Viro Venäjä Irak Thaimaa Ruotsi",
    "es": "Marruecos Rumanía Ecuador China Francia Ucrania", "it": "Marocco Romania Albania Ucraina Francia Perù",
    "pt": "Angola Brasil Ucrânia Moçambique França Nepal",
}  # fmt: skip
DATES = ("{d:02}/{m:02}/{y}", "{d}/{m}/{s:02}", "{d:02}.{m:02}.{y}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}", "{d}-{m}-{y}", "{d} {of}{name} {of}{y}", "{d}-{short}-{y}")  # fmt: skip
SHORT_DATES = (
    "{d}/{m}",
    "{d}.{m}.",
    "{d} {of}{name}",
    "{d}-{short}",
    "{d:02}/{m:02}",
    "{d}/{m}/{s:02}",
    "{d:02}.{m:02}.{s:02}",
)
_OF = {"es": "de ", "pt": "de "}


class Draws:
    """Draws of one language; ``prose`` are ordinary words to draw from besides the dictionary's."""

    def __init__(self, code: str, random: Random, prose: Sequence[str]) -> None:
        self.code, self.random, self.words = code, random, Words(language(code))
        self.prose = [w for w in prose if not any(self.words.at_home(w, table) for table in ("given", "family"))]

    def given(self) -> str:
        """A given name: mostly of the country, often of elsewhere, sometimes of nobody."""
        return self._name("given")

    def family(self) -> str:
        """A family name, as ``given``."""
        return self._name("family")

    def _name(self, table: str) -> str:
        sort = self.random.random()
        if sort < 0.1 and table == "family":
            return self.of_sort("signs")  # whom a sign is named after has namesakes
        if sort < 0.4:
            return self.random.choice(_home(table, self.code))
        if sort < 0.55:
            return self.random.choice(_ambiguous(table, self.code))
        if sort < 0.8:
            return self.random.choice(_single(table))
        return self._crossed(self.random.choice(_home(table, self.code)), self.random.choice(_home(table, self.code)))

    def _crossed(self, one: str, other: str) -> str:
        """The head of one word with the tail of another: in no list."""
        return one[: max(2, len(one) // 2)] + other[len(other) // 2 :].lower()

    def full(self) -> str:
        """Given name and family name, in the forms that people bear."""
        joined = "-" if self.random.random() < 0.5 else " "
        forms = (
            (12, f"{self.given()} {self.family()}"),
            (3 if self.code in ("es", "pt") else 1, f"{self.given()} {self.family()} {self.family()}"),
            (2, f"{self.given()}{joined}{self.given()} {self.family()}"),
            (1, f"{self.given()} {self.particle()} {self.family()}"),
            (1, f"{self.given()} {self.family()}-{self.family()}"),
            (1, f"{self.given()} {self.random.choice(string.ascii_uppercase)}. {self.family()}"),
            (2, f"{self.family()} {self.given()}"),
        )
        return self.random.choices([form for _, form in forms], [weight for weight, _ in forms])[0]

    def particle(self) -> str:
        return self.random.choice(
            {"en": ["van der", "de", "O'"], "fi": ["von", "af"], "es": ["de la", "del", "de"], "it": ["Di", "De", "Lo", "Della"], "pt": ["da", "dos", "de"]}[self.code]
        )  # fmt: skip

    def initialled(self) -> str:
        """Initials and a family name."""
        letters = self.random.choices(string.ascii_uppercase, k=self.random.choice([1, 1, 1, 2]))
        return ("" if self.random.random() < 0.5 else " ").join(
            f"{letter}." for letter in letters
        ) + f" {self.family()}"

    def listed_form(self) -> str:
        """Family name first, with a comma or without."""
        comma = ", " if self.random.random() < 0.6 else " "
        return f"{self.family()}{comma}{self.given()}"

    def capitals(self) -> str:
        return self.random.choice([self.listed_form, self.full])().upper()

    def shaped(self, shape: str) -> str:
        """Digits for 9 and capitals for A."""
        signs = {"9": string.digits, "A": string.ascii_uppercase}
        return re.sub("[9A]", lambda match: self.random.choice(signs[match[0]]), shape)

    def date(self, forms: Sequence[str] = DATES) -> str:
        months = self.words.language.months
        month = self.random.randint(1, 12)
        names = sorted((name for name, number in months.items() if number == month), key=len)
        name, short = (n.capitalize() if self.code == "en" else n for n in (names[-1], names[0]))
        year = self.random.randint(1930, 2025)
        of, day = _OF.get(self.code, ""), self.random.randint(1, 28)
        return self.random.choice(forms).format(d=day, m=month, y=year, s=year % 100, name=name, short=short, of=of)

    def place(self) -> str:
        return self.random.choice(_home("places", self.code))

    def organisation(self) -> str:
        names = [self.random.choice([self.place, self.family])() for _ in range(2)]
        return self.random.choice(PLACES_OF_WORK[self.code]).format(*names)

    def address(self) -> str:
        return self.shaped(self.random.choice(STREETS[self.code]).format(self.family(), self.family()))

    def email(self) -> str:
        return f"{self.given()}.{self.family()}@example.org".lower().replace(" ", "")

    def eponym(self) -> str:
        """What medicine calls a sign by; also any family name, since no list holds all."""
        known = self.random.random() < 0.5
        return self.random.choice(_lines("eponyms")).capitalize() if known else self.random.choice(_single("family"))

    def drug(self) -> str:
        drug = self.random.choice(_lines("drugs"))
        return drug if self.random.random() < 0.7 else drug.capitalize()

    def brand(self) -> str:
        """A brand or device: listed, or of nobody's make."""
        sort = self.random.random()
        if sort < 0.4:
            return self.random.choice(_lines("terms")).capitalize()
        made = self._crossed(*self.random.choices(_lines("drugs"), k=2)).capitalize()
        return f"{made}-{self.random.choice(_lines('terms')).capitalize()}" if sort > 0.9 else made

    def of_sort(self, sort: str) -> str:
        """A word of one of the lists ``SORTS``."""
        return self.random.choice(_lines(sort)).capitalize()

    def word(self) -> str:
        """An ordinary word: of notes or of the dictionary."""
        if self.random.random() < 0.6 and self.prose:
            return self.random.choice(self.prose).lower()
        block = self.random.choice(blocks(self.code))
        word = self.random.choice([w.decode() for w in words_of(block)])
        named = any(self.words.at_home(word, table) for table in ("given", "family", "places"))
        return self.word() if named or len(word) < 3 else word

    def listed(self, what: str) -> str:
        return self.random.choice(sorted(w for w in self.words.language.listed(what) if len(w) > 1))

    def country(self) -> str:
        return self.random.choice(COUNTRIES[self.code].split())

    def inflected(self, name: str, ending: str) -> str:
        """A Finnish name with a case ending; ``on`` stands for the illative."""
        name = name if name[-1].lower() in "aeiouyäö" else name + "i"
        return f"{name}{name[-1]}n" if ending == "on" else inflect(name, ending)


@cache
def _home(table: str, code: str) -> tuple[str, ...]:
    names = (name for name, marks in listing(table).items() if any(mark.startswith(code) for mark in marks.split()))
    return tuple(sorted(_cased(name) for name in names if name.isalpha() and len(name) > 2))


@cache
def _ambiguous(table: str, code: str) -> tuple[str, ...]:
    """Names that are ordinary words too."""
    words = Words(language(code))
    return tuple(name for name in _home(table, code) if words.known(name)) or _home(table, code)


@cache
def _single(table: str) -> tuple[str, ...]:
    return tuple(sorted(_cased(name) for name in listing(table) if name.isalpha() and len(name) > 2))


@cache
def _lines(name: str) -> tuple[str, ...]:
    text = files("deidentification.text").joinpath(f"lexicon/{name}.txt").read_text(encoding="utf-8")
    return tuple(word for word in text.split() if len(word) > 2)


def _cased(name: str) -> str:
    return name[0].upper() + name[1:]
