"""What is known about a word: a given name, a family name, a place, a drug, an ordinary word.

Belongs here: look-ups, also of inflected forms. Does not belong here: what follows from them (``names``).

References
----------
WHO (2018). The use of stems in the selection of INN.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from deidentification.text.dictionary import known_word
from deidentification.text.language import Language

_LEXICON = "deidentification.text"
_MEDICAL = re.compile(
    r"(?:om[ai]|oma[st]|ooma|ome|itis|itid|iitti|ite|ites|osis|oosi|ose|osi|emia|emie|emi[ae]s?|uri[ae]|pat[ií]a|pati[ae]|opati"
    r"|sc[oó]p[ií]?|skopi|ect[oóô]m[ií]?|ektomi|rrag[ií]|l[iíy]s[ie]s?|cultur|viljely|pen[ií]|alg[ií]|megal[ií]|gramm|cit[io]|cyte|syyt[ti]|trofi|spasti\w+|fosfatas|tom[iy]|tomía|graf[ií]|gram|log[ií]|plast[ií]?|terap[ií]?|therap|fagi|phagi|plegi|pares|fasi|phasi"
    r"|m[aá]b|n?ib|platin|taxel|lutamid|relin|relix|xab[aá]n|gatran|parin|grel|statin|prazol|prazole|sartan|olol|dipin|pril|cillin"
    r"|micin|mycin|floxacin|tinib|ciclib|parib|trexed|bicin|rubicin|poside|posid|setron|lukast|terol|tropi|sone|solon|plase|plaasi"
    r"|ksabaani?|statiini|mabi|nibi|bani|tiini|oli|iini|siini|amidi|pine|mide|zole|pam|lam)[aeioäos]?"
)
_OWNER = re.compile(r"(?<=\w{3})(?:ns[aä]|ni|mme|nne|(?<=[aeiouyäö])(?:an|än|en))$")  # vaimonsa, tyttärelleen
_ROLE = re.compile(
    r"\w{3}(?:lääkäri|hoitaja|työntekijä|terapeutti|sihteeri|ohjaaja|kirurgi|psykologi|neuvoja|avustaja|kätilö)\w{0,4}$"
)
_DERIVED = re.compile(
    r"\w{4}(?:[tsn][uy]n[uy]t|t[ae]tt[uy]|nro|numero|vakuutus|kaulaus|kuvaus|tutkimus|leikkaus|hoito|tauti|oire|arvio|lausunto|osasto|neste(?:ttä)?|syöpä|kuume|kipu|koe|löydös)$"
)
SORTS = (
    "signs",
    "devices",
    "brands",
    "trials",
)  # rarer eponyms; devices and their makers; drugs and goods; trials, scores, microbes
PARTICLES = frozenset(
    [
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "das",
        "do",
        "dos",
        "di",
        "du",
        "della",
        "lo",
        "dal",
        "dalla",
        "dalle",
        "zur",
        "ten",
        "abu",
        "dello",
        "dei",
        "degli",
        "van",
        "von",
        "den",
        "der",
        "ter",
        "af",
        "av",
        "zu",
        "el",
        "al",
        "bin",
        "ben",
        "ibn",
        "y",
        "e",
        "i",
        "ap",
        "mac",
        "mc",
        "san",
        "santa",
    ]
)
_GRADES = (
    ("kk", "k"),
    ("pp", "p"),
    ("tt", "t"),
    ("k", ""),
    ("nk", "ng"),
    ("nt", "nn"),
    ("lt", "ll"),
    ("rt", "rr"),
    ("t", "d"),
    ("p", "v"),
    ("mp", "mm"),
)


@dataclass(frozen=True)
class Form:
    """A word as found: its lemma, and the ending that a surrogate must take too (Finnish; else empty)."""

    lemma: str
    ending: str = ""


@cache
def listing(name: str) -> dict[str, str]:
    """Words of a table and their marks; names have a second table of frequent ones."""
    table: dict[str, str] = {}
    for file in (files(_LEXICON).joinpath(f"lexicon/{name}{part}.tsv") for part in ("", "_frequent")):
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            word, _, marks = line.partition("\t")
            table[word.lower()] = f"{table.get(word.lower(), '')} {marks}"
    return table


@cache
def _set(name: str) -> frozenset[str]:
    text = files(_LEXICON).joinpath(f"lexicon/{name}.txt").read_text(encoding="utf-8")
    return frozenset(text.lower().split())


class Words:
    """Look-ups in one language; all take a word in any case and answer for its lemma too."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.code = language.code

    def given(self, word: str) -> bool:
        """Whether it is a given name somewhere."""
        return self.form(word, "given") is not None

    def family(self, word: str) -> bool:
        """Whether it is a family name somewhere."""
        return self.form(word, "family") is not None or self.surname_shape(word)

    def name(self, word: str) -> bool:
        """Whether it is a name of a person somewhere."""
        return self.given(word) or self.family(word)

    def place(self, word: str) -> bool:
        """Whether it is a town."""
        return self.form(word, "places") is not None or any(
            form in _set("cities") for form in stems(word.lower(), self.code)
        )

    def country(self, word: str) -> bool:
        """Whether it is a country or continent, which alone tells nobody apart."""
        return any(form in _set("countries") for form in stems(word.lower(), self.code))

    def at_home(self, word: str, table: str) -> bool:
        """Whether a name of ``table`` is at home in this language."""
        form = self.form(word, table)
        return form is not None and any(mark.startswith(self.code) for mark in listing(table)[form.lemma].split())

    def sex(self, word: str) -> str:
        """``m``, ``f`` or nothing, by the given name."""
        form = self.form(word, "given")
        marks = listing("given")[form.lemma] if form else ""
        sexes = {mark[-1] for mark in marks.split() if mark[-1] in "mf"}
        return sexes.pop() if len(sexes) == 1 else ""

    def form(self, word: str, table: str) -> Form | None:
        """The listed lemma of a word and its ending."""
        return _form(word.lower(), table, self.code)

    def surname_shape(self, word: str) -> bool:
        """Finnish family names on -nen in any case."""
        return (
            self.code == "fi"
            and re.search(r"[^\W\d_]{3}(?:nen|sen|ses?t?a|sel[lt][ae]|selle|s[ei]ssa|sesta)$", word.lower()) is not None
            and word[0].isupper()
        )

    def known(self, word: str) -> bool:
        """Whether a dictionary lists it as an ordinary word, or it is a medical term or a drug."""
        return _known(word.lower(), self.code)

    def compound(self, word: str) -> bool:
        """Whether it may be a Finnish compound of two ordinary words; only to be asked where a sentence begins."""
        return self.code == "fi" and _compound(word.lower())

    def derived(self, word: str) -> bool:
        """Whether its Finnish ending is of a participle, a number's label or a common last part; for sentences' starts only."""
        return self.code == "fi" and _DERIVED.search(word.lower()) is not None

    def medical(self, word: str) -> bool:
        """Whether it is a drug or a term, or has the shape of a medical term."""
        return _medical(word.lower(), self.code)

    def clinical(self, word: str) -> bool:
        """Whether it is a listed drug or term, or an ordinary word with the shape of a medical one; *Thornthwaite* is not."""
        low = word.lower()
        return _drug(low, self.code) or (_medical(low, self.code) and known_word(low, self.code))

    def drug(self, word: str) -> bool:
        """Whether it is a listed drug, term or brand of medicine."""
        return _drug(word.lower(), self.code)

    def term(self, word: str) -> bool:
        """Whether it is a listed term or brand of medicine."""
        return any(stem in _set("terms") for stem in stems(word.lower(), self.code))

    def eponym(self, word: str) -> bool:
        """Whether medicine calls a sign, scale or disease by this name."""
        return any(
            part in _set("eponyms") for form in stems(word.lower(), self.code) for part in re.split("[-'’]", form)
        )

    def sorts(self, word: str) -> Iterator[str]:
        """Of ``SORTS``, those whose list holds the word; such names are persons' too, so that a rule must not rely on it."""
        forms = stems(word.lower(), self.code)
        yield from (sort for sort in SORTS if any(form in _set(sort) for form in forms))

    def listed(self, word: str, what: str) -> bool:
        """Whether the word or its lemma is in the language's list ``what``."""
        low, listed = word.lower(), self.language.listed(what)
        if what == "roles" and self.code == "fi" and _ROLE.search(low):
            return True
        if low in listed or low.rstrip(".") in listed:
            return True
        forms = {*stems(low, "fi"), *stems(_OWNER.sub("", low), "fi")} if self.code == "fi" else ()
        return any(len(form) > 2 and form in listed for form in forms)  # Tiina is no form of ti, Tuesday


@lru_cache(maxsize=100_000)
def stems(word: str, code: str) -> tuple[str, ...]:
    """Forms that a word may come from, itself first."""
    return tuple(dict.fromkeys(form.lemma for form in _forms(word, code)))


def _forms(word: str, code: str) -> Iterator[Form]:
    yield Form(word)
    if code == "en" and (bare := re.sub(r"['’]s?$", "", word)) != word:
        yield Form(bare, "'s")
    if code == "fi":
        yield from _finnish(word)


def _finnish(word: str) -> Iterator[Form]:
    """Consonant gradation, -nen : -se-, i : e and the extra i of foreign names undone."""
    for size in range(1, 5):
        stem, ending = word[:-size], word[-size:]
        if len(stem) < 3 or not _ends(ending):
            continue
        if stem.endswith(("se", "s")):
            yield Form(stem.removesuffix("e")[:-1] + "nen", ending)
        yield Form(stem, ending)
        if stem.endswith("i"):
            yield Form(stem[:-1], "i" + ending)
        if stem.endswith("e"):
            yield Form(stem[:-1] + "i", ending)
        for strong, weak in _GRADES:
            for vowel in (stem[-1], "i" if stem[-1] == "e" else stem[-1]):
                if stem[:-1].endswith(weak):
                    yield Form(stem[: len(stem) - 1 - len(weak)] + strong + vowel, ending)


@cache
def _ends(ending: str) -> bool:
    endings = "n a ä ta tä na nä ksi lle lla llä lta ltä ssa ssä sta stä tta ttä in en an än on un yn ön seen han hän hin hon hun hyn hön"
    return ending in endings.split()


@lru_cache(maxsize=200_000)
def _form(word: str, table: str, code: str) -> Form | None:
    listed = listing(table)
    for form in _forms(word, code):
        if form.lemma in listed:
            return form
    parts = word.split("-")
    if (
        len(parts) > 1
        and all(len(p) > 1 for p in parts)
        and (last := _form(parts[-1], table, code))
        and _form(parts[0], table, code)
    ):
        return last
    return None


@lru_cache(maxsize=200_000)
def _known(word: str, code: str) -> bool:
    bare = re.sub(r"['’]s?$", "", word) if code == "en" else word
    if known_word(bare, code) or _medical(bare, code):
        return True
    parts = bare.split("-")
    return len(parts) > 1 and all(len(part) < 3 or known_word(part, code) or _medical(part, code) for part in parts)


@lru_cache(maxsize=100_000)
def _compound(word: str) -> bool:
    cuts = range(3, len(word) - 3)
    return any(_known(word[:cut], "fi") and any(_known(stem, "fi") for stem in stems(word[cut:], "fi")) for cut in cuts)


@lru_cache(maxsize=200_000)
def _medical(word: str, code: str) -> bool:
    if _drug(word, code):
        return True
    shape = _MEDICAL.pattern + (r"\w{0,4}$" if code == "fi" else "s?$")
    return len(word) > 6 and re.search(shape, word) is not None


def _drug(word: str, code: str) -> bool:
    return any(stem in _set("drugs") or stem in _set("terms") for stem in stems(word, code))
