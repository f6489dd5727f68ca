"""Hospitals, schools, employers: names that hold a word for what they are.

Belongs here: spans around such words. Does not belong here: names of persons and towns (``names``).
"""

import re
from collections.abc import Iterator
from functools import cache

from deidentification.text.language import Language, language
from deidentification.text.spans import Kind, Span
from deidentification.text.words import Words
from deidentification.text.written import CAPITALISED, alternatives

_SMALL = frozenset({"de", "do", "da", "di", "del"})
_JOIN = r"(?:(?:de|del|della|delle|dei|di|da|do|das|dos|la|las|los|el|y|e|&|of|and|the|Nossa|Nuestra)\s+)"
_BRANCHES = frozenset(
    [
        "the",
        "unit",
        "team",
        "oncology",
        "rehabilitation",
        "intensive",
        "high",
        "dependency",
        "coronary",
        "assessment",
        "admissions",
        "infusion",
        "chemotherapy",
        "injury",
        "recovery",
        "step",
        "hyperacute",
        "respiratory",
        "palliative",
        "research",
        "día",
        "dia",
        "general",
        "thoracic",
        "vascular",
        "cardiac",
        "orthopaedic",
        "plastic",
        "oral",
        "breast",
        "urology",
        "neurology",
        "emergency",
        "day",
        "primary",
        "nursing",
        "care",
        "medical",
        "surgical",
        "private",
        "local",
        "acute",
        "stroke",
        "major",
        "minor",
        "same",
        "elective",
        "robotic",
        "keyhole",
        "open",
        "eye",
        "outpatient",
        "his",
        "her",
        "our",
        "this",
        "new",
        "old",
        "university",
        "no",
        "number",
        "id",
    ]
)


def organisations(text: str, of: Language) -> Iterator[Span]:
    """Spans of organisations."""
    for pattern in _patterns(of.code):
        for match in pattern.finditer(text):
            if not _ordinary(match["it"], of):
                yield Span(match.start("it"), match.end("it"), Kind.ORGANISATION)
    if of.code == "fi":
        yield from _finnish(text, of)


def _ordinary(found: str, of: Language) -> bool:
    """Whether nothing of the name tells which one it is: ``General Surgery``, ``Hospital``."""
    heads = of.listed("hospital_last") | of.listed("hospital_first") | _BRANCHES
    return all(word.lower() in heads | _SMALL or len(word) < 2 for word in re.findall(r"[^\W\d_]+", found))


@cache
def _patterns(code: str) -> tuple[re.Pattern[str], ...]:
    of = language(code)
    patterns: list[str] = []
    run = rf"{CAPITALISED}(?:\s+{_JOIN}*{CAPITALISED})*"
    if first := of.listed("hospital_first"):
        heads = "|".join(re.escape(w.capitalize()) + "|" + re.escape(w.upper()) for w in first)
        patterns.append(rf"\b(?P<it>(?:{heads})(?:\s+{_JOIN}*{run})+)")
        patterns.append(rf"\b(?P<it>(?:{heads})\s+(?:de|di|do|da|del)\s[a-zß-öø-ÿ]+(?:\s[a-zß-öø-ÿ]+)?\s{_JOIN}*{run})")
    if code == "en":
        heads = "|".join(re.escape(w.capitalize()) for w in of.listed("hospital_last"))
        patterns.append(
            rf"\b(?P<it>{CAPITALISED}\.?(?:\s+(?:(?:of|and|&|the)\s+)*{CAPITALISED}){{0,4}}\s+(?:{heads})\b(?: (?:Hospital|Centre|Ltd|Trust|School))?)"
        )
    company = of.listed("hospital_company") | {"ltd", "oy", "s.a.", "gmbh", "inc.", "plc", "ab"}
    patterns.append(rf"(?P<it>{run},?\s+(?i:{alternatives(company)})(?::\w+)?)(?!\w)")
    if work := of.listed("at_work"):
        where = r"(?:at|for|by|en|para|na|no|em|per|presso|al|alla|all['’]|nel|nella|da|dalla)"
        lead = (
            r""
            if code == "fi"
            else rf"(?:\s[a-zß-öø-ÿ]+){{0,4}}?\s{where}(?:\s(?:the|la|el|o|a))?(?:\s?(?P<what>[a-zß-öø-ÿ]{{5,}}))?"
        )
        patterns.append(rf"\b(?i:{alternatives(work)}){lead}\s?(?P<it>{run})")
    return tuple(re.compile(pattern) for pattern in patterns)


def _finnish(text: str, of: Language) -> Iterator[Span]:
    """``Tampereen yliopistollinen sairaala`` in any case, and districts' short names."""
    words = Words(of)
    tokens = list(re.finditer(r"[^\W\d_]+(?:-[^\W\d_]+)*", text))
    for at, token in enumerate(tokens):
        low = token[0].lower()
        if token[0][0].isupper() and re.fullmatch(
            rf"{alternatives(of.listed('abbreviations'))}\W?(?:i?(?:n|ssa|sta|iin|lle|ssä|stä)|:\w+)?", low
        ):
            ending = re.compile(r":\w+").match(text, token.end())
            yield Span(token.start(), ending.end() if ending else token.end(), Kind.ORGANISATION)
        if not re.search(
            r"(?:sairaala|klinik|terveysasema|terveyskesku|palvelutalo|hoivako|hoitoko|koulu|yliopisto|vanhainko|telak|terveystalo|palvelukot|hoitola|parantola|kuntoutuskesku|lastenkot|ryhmäkot|päiväkot|lukio|konepaja|tehtaa?|tehdas|tehtaalla|paperitehta|varikko|varuskun)\w*$",
            low,
        ):
            continue
        begin = at
        while (
            begin
            and at - begin < 2
            and not tokens[begin - 1][0][0].isupper()
            and re.search(r"lli|keskus", tokens[begin - 1][0])
        ):
            begin -= 1
        if (
            begin
            and tokens[begin - 1][0][0].isupper()
            and (words.form(tokens[begin - 1][0], "places") or tokens[begin - 1][0].endswith("n"))
        ):
            yield Span(tokens[begin - 1].start(), token.end(), Kind.ORGANISATION)
        elif (
            at + 1 < len(tokens)
            and tokens[at + 1][0][0].isupper()
            and text[token.end() : tokens[at + 1].start()] == " "
        ):
            yield Span(tokens[at + 1].start(), tokens[at + 1].end(), Kind.ORGANISATION)
        elif token[0][0].isupper() and low.endswith(("talo", "asema")) and at and not words.known(low):
            yield Span(token.start(), token.end(), Kind.ORGANISATION)
