"""Identifiers with a written form: numbers, contacts, dates, old ages, addresses.

Belongs here: patterns, with the words that must stand before or after them. Does not belong here: names (``names``),
and the forms that tables share (``identification``), which are used, not repeated.
"""

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban

from deidentification.identification.national_ids import NATIONAL_IDS
from deidentification.identification.patterns import PATTERNS
from deidentification.text.language import Language
from deidentification.text.spans import Kind, Span

CAPITALISED = r"[^\W\d_a-zß-öø-ÿ][\w'’-]*"
_SHARED = {"e-mail": Kind.EMAIL, "web address": Kind.URL, "IBAN": Kind.IBAN, "telephone": Kind.PHONE, "IP address": Kind.URL, "record number": Kind.MRN}  # fmt: skip
_NUMBER = r"(?:[A-Z]{1,2} (?=\d{3,4}[ -]\d)|[A-Z]{2,6} (?=\d{5}))?[A-Za-z]{0,10}[-/.]?\d[\dA-Za-z./-]*\d(?:[-/][A-Z]{1,2}\b| [A-Z]{1,2}\b(?=[,.;)]))?(?: \d{3,}| \d{1,4}\b(?=[.,;:) ]*(?:$|[a-z(])))*"
_COUNTED = r"(?! ?(?:mg|ml|mcg|µg|ug|cm|mm|kg|g|h|UI|IU|UI|%|c[eé]l|cell|solu)\b| c[eé]l| cell| solu)"
_MEASURED = r"(?! ?(?:mg|ml|cm|mm|kg|g|%|h|x)\b| ?%| (?:m[eê]s|mont|week|year|day|sem|sett|d[ií]a|gior|a[nñ]o|ann|frag|cicl|cycl|fram|frus|core|cil|biop|g[aâ]n|linf|nod|punt|pont|point))"
_LABORATORY = frozenset(
    [
        "plt",
        "wbc",
        "rbc",
        "gb",
        "gr",
        "ck",
        "cpk",
        "ldh",
        "bnp",
        "psa",
        "tsh",
        "tel",
        "cel",
        "cc",
        "cf",
        "nif",
        "niss",
        "plaq",
        "trom",
        "leuk",
        "e",
        "b",
        "l",
        "n",
        "id",
        "tc",
        "tr",
        "rm",
        "rx",
        "rmn",
        "pet",
        "us",
        "eco",
        "mr",
        "ct",
        "xr",
        "mri",
    ]
)
_FORMS: tuple[tuple[Kind, str], ...] = (
    (Kind.URL, r"(?i)\b(?:https?://|www\.)[^\s\"<>,;)]+"),
    (Kind.NATIONAL_ID, r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),  # UK National Insurance
    (Kind.NATIONAL_ID, r"\b\d{2}[ /-]\d{8}[ /-]\d{2}\b"),  # ES Seguridad Social
    (Kind.NATIONAL_ID, r"\b[0-3]\d[01]\d{3}[-+A-F]\d{3}[0-9A-Z]\b"),  # FI, mistyped ones too
    (Kind.NATIONAL_ID, r"(?i)\b[A-Z]{3} ?[A-Z]{3} ?\d{2}[A-EHLMPR-T]\d{2} ?[A-Z]\d{3} ?[A-Z]\b"),
    (Kind.NATIONAL_ID, r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),  # US social security
    (Kind.NATIONAL_ID, r"(?<![\d.])\d{3}\.\d{3}\.\d{3}-\d{2}\b"),  # BR CPF
    (Kind.NATIONAL_ID, r"\b(?:\d{8}|[XYZ]\d{7})-?[A-Z]\b"),
    (Kind.PHONE, r"(?<![\d.,/-])(?:\+|00 ?)\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?!\d)"),
    (Kind.PHONE, r"(?<![\d.,/-])0\d{1,4}[ -]?\d{3}[ -]?\d{3,4}(?:[ -]?\d{1,4})?(?![\d.,/-]\d)"),
    (Kind.PHONE, r"(?<![\d.,/-])(?:[2-9]\d{2})([ .-])\d{3}\1\d{3}(?![\d.,/]\d)" + _COUNTED),
    (Kind.PHONE, r"(?<![\d.,/-])\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}(?![\d.,/-]\d)" + _COUNTED),
    (Kind.PHONE, r"(?<![\d.,/-])[29]\d([ .-])\d{3}\1\d{2}\1\d{2}(?![\d.,/-]\d)" + _COUNTED),
    (Kind.PHONE, r"(?<![\d.,/-])3\d{2}([ .-])\d{2}\1\d{2}\1\d{2,3}(?![\d.,/-]\d)" + _COUNTED),
    (Kind.PHONE, r"(?<![\d.,/-])[36-9]\d{2}[ ]?\d{6,7}(?![\d.,/-]\d)"),
    (Kind.PHONE, r"(?<![\d.,/-])3\d{2} \d{3} \d{4}\b"),
    (Kind.NATIONAL_ID, r"\b\d{8} ?\d ?[A-Z]{2}\d\b"),  # PT Cartão de Cidadão
    (Kind.PHONE, r"(?<![\d.,/-])[6-9]\d{2}([ .-])\d{2}\1\d{2}\1\d{2}(?![\d.,/]\d)" + _COUNTED),
    (Kind.MRN, r"\b[A-Z]{2,6}-\d{4,}\b"),
    (Kind.MRN, r"\b[A-Z]{1,5}[-/](?:\d{2}|\d{4})[-/]\d{3,}(?:[-/]\d{1,3})?\b|\b[A-Z]{2,5} (?:19|20)\d{2}[ /-]\d{4,}\b"),
    (Kind.MRN, r"(?<![\d.,/-])\d{5,}[-/]\d{1,2}\b(?![/-]|[.,]\d)"),
    (Kind.MRN, r"\b[A-Z]{1,5}-?\d{2}[-/]\d{3,}\b|\b[A-Z]-\d{2}-\d{3,}\b|\b[A-Z]{1,5}-?\d{5,}\b"),
    (Kind.MRN, r"\b[A-Z]{1,8}[-/]\d{4,}(?:[-/][A-Z\d]{1,6})*\b|\b[A-Z]{1,4}\d{5,}-\d{2,}\b"),
    (Kind.MRN, r"(?<![\d.,/+-])\d{2,4}-\d{6,}(?:-\d{1,2})?(?![\d-])"),
    (Kind.PHONE, r"(?<![\d.,/-])[2-9]\d-\d{3}-\d{4}(?![\d-])"),
    (Kind.PHONE, r"\(\d{2,4}\) ?\d{2,4}(?:[ -]\d{2,4}){1,3}(?![\d/]|[.,]\d)"),
    (Kind.MRN, r"\b(?=(?:[A-Z]*\d){5})(?=\d*[A-Z])[A-Z\d]{10,20}\b"),
    (Kind.MRN, r"(?<![\d.,/-])\d{7,24}(?![\d.,]\d)"),
    (
        Kind.MRN,
        r"\b[A-Z]{1,2} ?\d{2,4}[ -]\d{3,4}[ -]\d{2,4}\b|\b[A-Z]{1,4}(?:-\d{2,}){2,}(?:-\d{1,3})?\b|\b[A-Z]{1,3}\d{6,}[A-Z]?\b",
    ),
    (Kind.DATE, r"\b(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:[12]\d|3[01]|0?[1-9])\b"),
    (Kind.DATE, r"\b(?:[12]\d|3[01]|0?[1-9])\s?[-/.]\s?(?:1[0-2]|0?[1-9])\s?[-/.]\s?(?:19|20)?\d{2}\b(?![/.]\d)"),
    (Kind.DATE, r"\b(?:1[0-2]|0[1-9])/(?:19|20)\d{2}\b"),
    (
        Kind.DATE,
        r"\b(?:[12]\d|3[01]|0?[1-9])(\. ?|[-/ ])(?:I{1,3}|IV|VI{0,3}|IX|XI{0,2}|(?<=[./-])(?:i{1,3}|iv|vi{0,3}|ix|xi{0,2}))(?:\1|(?<=\w) )(?:19|20)?\d{2}\b",
    ),
    (
        Kind.DATE,
        r"(?<![\d.,/-])(?:[12]\d|3[01]|[1-9])\.(?:1[0-2]|[1-9])\.(?=[,;:)]| [a-zß-öø-ÿ])",
    ),  # not the end of a sentence: PSA 12.3. Plan
    (Kind.ADDRESS, r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"),
)


def written(text: str, language: Language) -> Iterator[Span]:
    """Spans of all identifiers that have a written form, checked by digits where there are check digits."""
    for national in NATIONAL_IDS:
        yield from (_span(m, Kind.NATIONAL_ID) for m in re.finditer(national.pattern, text) if national.valid(m[0]))
    for shared in PATTERNS:
        make = _record if shared.name == "record number" else _span
        kind = _SHARED[shared.name]
        yield from (make(m, kind) for m in re.finditer(shared.pattern, text) if shared.valid(m[0]))
    yield from _ibans(text)
    for kind, pattern in (*_compiled(language.code), *_FORMS_COMPILED):
        yield from (_span(m, kind) for m in pattern.finditer(text))


def _record(match: re.Match[str], kind: Kind) -> Span:
    """The number without its label."""
    number = re.search(r"\S*\d\S*$", match[0])
    return Span(match.start() + (number.start() if number else 0), match.end(), kind)


def _ibans(text: str) -> Iterator[Span]:
    """Account numbers; the longest that the check digits bear out, as words may follow without a mark."""
    for match in re.finditer(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", text):
        ends = (end for end in range(match.end(), match.start() + 14, -1) if text[end - 1] != " ")
        valid = (end for end in ends if iban.is_valid(text[match.start() : end], check_country=False))
        if (end := next(valid, None)) is not None:
            yield Span(match.start(), end, Kind.IBAN)


def _span(match: re.Match[str], kind: Kind) -> Span:
    group = "it" if "it" in match.re.groupindex else 0
    return Span(match.start(group), match.end(group), kind)


_FORMS_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _FORMS)


def alternatives(words: frozenset[str]) -> str:
    """The words as a group of a regular expression, the longest first."""
    return "(?:" + "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) + ")"


@cache
def _compiled(code: str) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    from deidentification.text.language import language

    of = language(code)
    rules = (*_labelled(of), *_dates(of), *_ages(of), *_addresses(of))
    return tuple((kind, re.compile(pattern)) for kind, pattern in rules)


def _labelled(of: Language) -> Iterator[tuple[Kind, str]]:
    gap = r"(?i:[ ]cl[ií]nic[ao])?(?i:[ ]*(?:id|no|nr|nro|number|num|n|n\.º|nº|número|numero)\b)?[ .:#º°]{0,4}[ ]?"
    compound = r"|\w{3,}(?:nro|numero)" if of.code == "fi" else ""
    yield (
        Kind.MRN,
        rf"\b(?i:{alternatives(of.listed('record'))}{compound}){gap}(?P<it>{_NUMBER})(?<=\d{{2}})(?! ?-?(?:v|vuotias|años|anos|anni|years?)\b)",
    )
    labels = of.listed("record") | of.listed("national") | of.listed("phone") | _LABORATORY
    yield Kind.MRN, rf"\b(?!(?i:{alternatives(labels)}) )[A-Z]{{2,6}} \d{{6,}}\b"
    numbers = r"(?!\d{1,2}[.,]\d{1,2}(?![\d ./-]))\+?\(?\d[\d ()./-]{2,16}\d"
    yield (
        Kind.PHONE,
        rf"\b(?i:{alternatives(of.listed('phone'))})\.?(?: ?(?:no|nr|n|nro|nº|n\.º)\.?)?[ :#]{{0,3}}(?P<it>{numbers})",
    )
    call = r"(?:avvis|chiam|llam|avis|lig|telefon|rung|ring|call|bleep|contact)"
    yield Kind.PHONE, rf"(?i)\b{call}\w*\b[^.;\n]{{0,30}}? (?:al|allo|ao|on|para o) (?P<it>\d{{4,6}})\b(?![./-]\d)"
    national = r"(?:[A-Z]{1,3} )?[A-Z]{0,6}\d[\dA-Z]*(?:[ ./-]?[\dA-Z]*\d[\dA-Z]*){1,6}(?:[ -]?[A-Z])?"
    yield Kind.NATIONAL_ID, rf"\b(?i:{alternatives(of.listed('national'))})(?![^\W\d_]){gap}(?P<it>{national})(?!\w)"


def _dates(of: Language) -> Iterator[tuple[Kind, str]]:
    months = alternatives(frozenset(of.months))
    days = alternatives(of.listed("days"))
    tail = r"(?:ta|n|ssa|sta|na|n aikana|hun)?" if of.code == "fi" else r"\.?"
    day = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th|\.?[ºª°]|\.)?"
    year = r"(?:19|20)\d{2}"
    of_ = r"(?:of |de |do |del |d')?"
    before = "" if of.code == "fi" else rf"(?:\b{days},?\s+)?"
    yield (
        Kind.DATE,
        rf"(?i)\b{before}{day}\s?[-/. ]?{of_}{months}{tail}(?:(?:,? (?:de |del |do )?|[-/.])(?:{year})|[-/.]\d{{2}}| ['’]\d{{2}})?\b",
    )
    yield Kind.DATE, rf"(?i)\b{months}{tail}(?: (?:de |del |do )?| '?){year}\b"
    feast = rf"(?i:\b{alternatives(of.listed('feasts'))}(?:na|n|ina|na aattona)?,?(?: of| de| del| do)?) {year}\b"
    yield Kind.DATE, feast
    if of.code == "en":
        yield Kind.DATE, rf"\b(?i:{months})\.? {day}\b(?:,? {year})?"
    if of.code == "fi":
        yield Kind.DATE, rf"(?i)\b{months}{tail} {day}(?: päivänä)?"
        yield Kind.DATE, r"(?<![\d.,])(?P<it>(?:[12]\d|3[01]|[1-9])\.(?:1[0-2]|[1-9])\.)(?!\d)"
        yield Kind.DATE, r"(?<![\d.,])(?P<it>(?:[12]\d|3[01]|[1-9])\.(?:1[0-2]|[1-9]))(?=: )"
        yield Kind.DATE, r"(?<![\d.,])(?P<it>[0-3]?\d\.(?:[01]?\d\.)?)(?=\s?[–-]\s?[0-3]?\d\.[01]?\d\.)"
    else:
        lead = alternatives(of.listed("date_before"))
        yield (
            Kind.DATE,
            r"(?<=, )(?P<it>(?:[12]\d|3[01]|0?[1-9])/(?:1[0-2]|0?[1-9]))(?=,? (?:a las?|às|alle|ore|at|pelas) )",
        )
        yield Kind.DATE, rf"(?i)\b{lead}(?: the| el| il| o)? (?P<it>[0-3]?\d[/-][01]?\d)\b(?![/.,-]\d){_MEASURED}"
        yield Kind.DATE, rf"(?i)\b{lead} (?P<it>[0-3]\d\.[01]\d)\b(?![/.,-]\d){_MEASURED}"


_NO_VALUE = (
    r"(?![\w/%]|[.,]\d| ?(?:%|(?:mg|kg|ml|min|h|bpm|g|cm|mm|mmHg|IU|UI|U)\b))"  # what follows an age and no measurement
)
_SEXES = {
    "en": "[MF]|[Mm]ale|[Ff]emale|[Mm]an|[Ww]oman|[Ll]ady|[Gg]entleman", "fi": "[MN]|[Mm]ies|[Nn]ainen", "es": "[VMH]|[Vv]arón|[Hh]ombre|[Mm]ujer",
    "it": "[MF]|[Uu]omo|[Dd]onna", "pt": "[MFH]|[Hh]omem|[Mm]ulher",
}  # fmt: skip
_AGED = {
    "en": r"-?(?:y|yrs?|years?)(?:[ -]?old)?\b",
    "fi": r"-?vuotia\w+",
    "es": r"-?añ(?:os?|era?s?)\b",
    "it": r"-?enn[ei]\b",
    "pt": r"-?anos?\b",
}


def _ages(of: Language) -> Iterator[tuple[Kind, str]]:
    old = r"(?P<it>(?:9\d|1[01]\d)\+?)"
    words = alternatives(of.listed("age"))
    yield Kind.AGE, rf"(?i)(?<![\d.,/])\b{old}[ -]*{words}\b"
    yield Kind.AGE, rf"(?i)\b(?:ikä|age|edad|età|idade|ikää|eta|anni)[ :]{{1,2}}(?:de |di )?{old}(?![\d/%]|[.,]\d)\b"
    if of.code in ("es", "it", "pt"):
        yield Kind.AGE, rf"(?i)(?<![\d.,/])\b{old} ?aa?\b(?=\.?\s*(?:[,;:).]|$))"
    yield Kind.AGE, rf"(?<!\w)(?:{_SEXES[of.code]})[,:]? ?{old}{_NO_VALUE}"
    yield Kind.AGE, rf"(?<![\w.,/]){old} ?(?:[♀♂]|{_AGED[of.code]})"
    if of.code == "en":
        yield Kind.AGE, rf"(?i)\b(?:aged?|at|turned|(?:she|he|pt|patient)(?: is|'s| was))\s+{old}{_NO_VALUE}"
        yield Kind.AGE, rf"\b{old} ?[MF]\b"


def _addresses(of: Language) -> Iterator[tuple[Kind, str]]:
    name = rf"{CAPITALISED}"
    town = rf"{name}(?: (?:de |del |da |do )?{name}){{0,2}}"
    if of.code == "en":
        streets = alternatives(frozenset(w.capitalize() for w in of.listed("street")))
        post = r"(?:,? *[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})?"
        flat = rf"(?:(?:Flat|Apartment|Apt\.?|Unit|Room) \w+,? )?(?:(?:{name} ){{1,3}}?(?:Court|House|Lodge|Mansions|Buildings?|Tower|Point),? )?"
        yield Kind.ADDRESS, rf"{flat}\b\d{{1,4}}[A-Za-z]?,? (?:{name} ){{1,3}}{streets}\b(?:, {town})?{post}"
        plain = alternatives(frozenset(w.capitalize() for w in of.listed("street_plain")))
        yield Kind.ADDRESS, rf"(?:{name}(?: {name}){{0,3}}, )?\b(?:{name} ){{1,2}}{plain}\b(?:, {town})?{post}"
        yield Kind.ADDRESS, r"(?i)\bp\.?o\.? box \d+"
    elif of.code == "fi":
        streets = alternatives(of.listed("street"))
        flat = r"(?: ?[A-Za-z]\b(?: ?\d{1,3})?| as\.? ?\d+)?"
        yield Kind.ADDRESS, rf"\b{name}(?:{streets})\w{{0,4}} \d{{1,3}}{flat}(?:,? \d{{5}} {name})?"
        yield Kind.ADDRESS, rf"\b(?:PL \d{{1,5}},? )?\d{{5}} {name}|\bPL \d{{1,5}}\b"
    else:
        yield from _romance_addresses(of, name, town)


def _romance_addresses(of: Language, name: str, town: str) -> Iterator[tuple[Kind, str]]:
    """The kind of street first, then its name, the number or none (``s/n``), the floor and the postcode."""
    heads = alternatives(of.listed("street_first"))
    floors = alternatives(of.listed("floor"))
    floor = rf"(?:,? ?\d{{1,2}}\.?[ºªo°]\.?(?: ?[A-Za-z]{{1,4}}\b\.?)?|/\w{{1,3}}\b|,? (?i:{floors})\.?(?: \d{{1,3}}| [A-Z]\b)?)*"
    post = rf"(?:,? (?:\d{{5}}|\d{{4}}-\d{{3}}) {town})?"
    number = r"(?:(?:n\.?[ºo°]? ?)?\d{1,4}\b|s/n|s\.n\.|snc)"
    street = rf"(?:[\w'’.-]+ ){{0,6}}?{CAPITALISED}(?: [IVX]+)?"
    yield Kind.ADDRESS, rf"(?<!\w)(?:(?i:{heads})\.? |[Cc]/(?!c\b) ?){street},? {number}{floor}{post}"
    yield Kind.ADDRESS, rf"\b(?:\d{{5}}|\d{{4}}-\d{{3}}) {name}"
