"""What is written in an identifier's place: another of the same kind, the same for one patient every time.

Belongs here: keyed choice of a replacement. Does not belong here: finding identifiers. Nothing is remembered: the choice
follows from the key, the patient and the words replaced, so there is no table of originals to lose.

References
----------
Carrell et al. (2013). Hiding in plain sight: use of realistic surrogates to reduce exposure of PHI. JAMIA 20(2).
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count

from stdnum import iban

from deidentification.identification.national_ids import NATIONAL_IDS
from deidentification.shift import shift_days
from deidentification.text.dates import moved
from deidentification.text.language import Language
from deidentification.text.spans import Kind
from deidentification.text.words import PARTICLES, Form, Words, listing

_CONTEXT = b"text:"
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HOSPITAL = {"en": "{} Hospital", "fi": "{} sairaala", "es": "Hospital de {}", "it": "Ospedale di {}", "pt": "Hospital de {}"}  # fmt: skip
_STREET = {"en": "{1} {0} Street", "fi": "{0}katu {1}", "es": "calle {0} {1}", "it": "via {0} {1}", "pt": "Rua {0} {1}"}
OLD = "90+"


class Surrogates:
    """Replacements for one patient's identifiers in one language.

    Parameters
    ----------
    patient : str
        The patient's identifier; other patients get other replacements.
    key : bytes
        The project's secret key, at least 16 bytes.
    language : Language
    known : sequence of str
        The patient's own identifiers: never chosen as replacements.
    """

    def __init__(self, patient: str, key: bytes, language: Language, known: Sequence[str]) -> None:
        self.words, self.language = Words(language), language
        self.days = shift_days(patient, key)
        self._key = hmac.digest(key, _CONTEXT + patient.encode(), "sha256")
        self._own = {word for value in known for word in re.findall(r"\w+", value.lower())}

    def of(self, kind: Kind, found: str) -> str:
        """The replacement of ``found``, an identifier of ``kind``."""
        makers: dict[Kind, Callable[[str], str]] = {
            Kind.PERSON: self._person, Kind.LOCATION: self._place, Kind.ORGANISATION: self._organisation,
            Kind.ADDRESS: self._address, Kind.DATE: self._date, Kind.AGE: lambda _: OLD,
            Kind.EMAIL: self._email, Kind.URL: self._url, Kind.PHONE: self._phone,
        }  # fmt: skip
        return makers.get(kind, self._number)(found)

    def _person(self, found: str) -> str:
        words = list(_WORD.finditer(found))
        last = len(words) - 1
        out, end = "", 0
        for at, match in enumerate(words):
            out += found[end : match.start()] + self._name(match[0], alone=last == 0, ends=at == last)
            end = match.end()
        return out + found[end:]

    def _name(self, word: str, *, alone: bool, ends: bool) -> str:
        if word.islower() and word in PARTICLES:
            return word
        if len(word) == 1:
            return "ABCDEFGHJKLMNPRSTV"[self._draw("initial", word.lower(), 18)]
        given = self.words.form(word, "given")
        family = self.words.form(word, "family") if not given or (ends and not alone) else None
        form = family or given or self._inflected(word)
        sex = self.words.sex(word) if form is given and given else ""
        names = listed("family", self.words.code) if form is not given else listed("given", self.words.code, sex)
        return self._dressed(names, form, word)

    def _inflected(self, word: str) -> Form:
        low = word.lower()
        if self.words.code == "fi" and (m := re.match(r"(.{2,})se(n|lla|lta|lle|ssa|sta|na|ksi)$", low)):
            return Form(m[1] + "nen", m[2])
        return Form(low)

    def _dressed(self, names: tuple[str, ...], form: Form, like: str) -> str:
        """A drawn name with the ending and the capitals of the word it replaces."""
        candidates = (names[self._draw("name", f"{form.lemma}/{again}", len(names))] for again in count())
        name = next(n for n in candidates if not {plain(n), n.lower()} & {plain(form.lemma), plain(like), *self._own})
        name = inflect(name, form.ending) if self.words.code == "fi" else name + ("'s" if form.ending == "'s" else "")
        return name.upper() if like.isupper() else name.lower() if like.islower() else name

    def _place(self, found: str) -> str:
        form = self.words.form(found, "places") or Form(found.lower())
        return self._dressed(listed("places", self.words.code), form, found)

    def _organisation(self, found: str) -> str:
        place = self._dressed(listed("places", self.words.code), Form(found.lower()), "Xx")
        return _HOSPITAL[self.words.code].format(place)

    def _address(self, found: str) -> str:
        street = self._dressed(listed("family", self.words.code), Form(found.lower()), "Xx")
        return _STREET[self.words.code].format(street, 1 + self._draw("street", found.lower(), 99))

    def _date(self, found: str) -> str:
        return moved(found, self.days, self.language) or "[DATE]"

    def _email(self, found: str) -> str:
        return f"person{self._draw('email', found.lower(), 10**6)}@example.org"

    def _url(self, found: str) -> str:
        return f"https://example.org/{self._draw('url', found, 10**6)}"

    def _phone(self, found: str) -> str:
        """A number of the same form that no one can have: behind the first digit or the country come three zeros."""
        head = re.match(r"\+?\d{1,2}(?=\D)|\+\d{2}|\d", found)
        kept = head.end() if head else 0
        drawn = (self._same_shape(found[kept:], f"{found}/{again}" if again else found) for again in count())
        made = next(n for n in map(_nobodys, drawn) if n != found[kept:] or not any(c.isdigit() for c in n))
        return found[:kept] + made

    def _number(self, found: str) -> str:
        """The same shape in other digits and letters, and no valid number of any country or bank."""
        drawn = (self._same_shape(found, f"{found}/{again}") for again in count())
        return next(number for number in drawn if number != found and not _valid(number))

    def _same_shape(self, found: str, label: str) -> str:
        stream = self._stream(plain(label))

        def other(c: str) -> str:
            if c.isdigit():
                return str(next(stream) % 10)
            if c.isascii() and c.isalpha():
                letter = "ABCDEFGHJKLMNPQRSTUVWXYZ"[next(stream) % 24]
                return letter if c.isupper() else letter.lower()
            return c

        return "".join(map(other, found))

    def _stream(self, label: str) -> Iterator[int]:
        for block in count():
            yield from hmac.digest(self._key, f"stream/{block}/{label}".encode(), "sha256")

    def _draw(self, what: str, value: str, size: int) -> int:
        return int.from_bytes(hmac.digest(self._key, f"{what}/{value}".encode(), "sha256")[:8], "big") % size


def _nobodys(number: str) -> str:
    """Zeros for the first three digits of a number long enough to be somebody's."""
    for _ in range(3):
        number = re.sub(r"[1-9]", "0", number, count=1) if sum(c != "0" for c in number if c.isdigit()) > 3 else number
    return number


def _valid(number: str) -> bool:
    spans = (m[0] for national in NATIONAL_IDS for m in re.finditer(national.pattern, number) if national.valid(m[0]))
    return next(spans, None) is not None or iban.is_valid(number, check_country=False)


def plain(text: str) -> str:
    """Without case, accents and separators, so that one number written in two ways has one replacement."""
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in folded if not unicodedata.combining(c) and c not in " .-")


def inflect(name: str, ending: str) -> str:
    """A Finnish name with a case ending; only names that keep their stem (and -nen : -se-) are listed for it."""
    if not ending:
        return name
    back = any(c in "aouAOU" for c in name)
    ending = ending.replace("ä", "a") if back else ending.replace("a", "ä")
    if name.endswith("nen"):
        stem = name[:-3] + ("s" if ending in ("ta", "tä") else "se")
        return stem + ("en" if ending[-1] == "n" and len(ending) == 2 else ending.removeprefix("e"))
    return name + (ending[1:] if ending[0] == "i" and len(ending) > 1 and ending != "in" else ending)


@cache
def listed(table: str, code: str, sex: str = "") -> tuple[str, ...]:
    """Single-word names at home in a language; in Finnish those whose stem does not change."""
    home = (
        name for name, marks in listing(table).items()
        if any(mark[:2] == code and sex in mark[2:] for mark in marks.split()) and name.isalpha() and len(name) > 3
    )  # fmt: skip
    keeps = (
        (lambda n: n.endswith("nen")) if table == "family" else (lambda n: re.search(r"[^kpt][aouyäö]$", n) is not None)
    )
    return tuple(sorted(name.capitalize() for name in home if code != "fi" or keeps(name)))
