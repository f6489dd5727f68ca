"""Whether one word of a text is a person's name, a town or something else.

Belongs here: the rules for one word: lists, capitals, what stands before it. Does not belong here: whole names (``joining``),
or what is known of a word out of its text (``words``).

The rule is that of Philter: a capitalised word is a name unless it is known to be something else, because a name left
in a note harms a person, and a lost ordinary word does not.

References
----------
Norgeot et al. (2020). Protected Health Information filter (Philter). npj Digital Medicine 3:57.
"""

import re

from deidentification.text.tokens import Is, Reading, Token
from deidentification.text.words import PARTICLES

_AND = frozenset({"ja", "y", "e", "ed", "and"})
_AGED = re.compile(
    r", \(?(?:1[89]|[2-9]\d|1[01]\d)(?:, |\)|,? ?(?:años|anni|anos|years?|yrs?|yo|y/o|v\b|vuotias|[MF]\b))"
)
_NUMBERED = re.compile(r" (?:\d{1,3}(?![\d./-])|[IVX]+[ABC]?\b)")  # Ward 9, Stage IIIB
_LASTING = re.compile(  # We told Mark 4 days ago, Gioia 2 giorni fa, Toivolle 3 päivää sitten
    r" \d{1,3} ?(?:days?|weeks?|wks?|months?|years?|yrs?|hours?|hrs?|minutes?|mins?|d[ií]as?|semanas?|mes|meses|años?|anos?|horas?|minutos?|giorn[oi]"
    r"|settiman[ae]|mes[ei]|ann[oi]|or[ae]|minut[oi]|mês|päivää?|viikkoa?|kuukautta|kk|vuotta|tuntia?|minuuttia?)\b"
)
_ALSO_NAMES = frozenset(
    {"israel", "jordan", "chad", "georgia", "india", "kenya", "asia", "america", "américa", "italia"}
)
_LEADING = (
    "titles",
    "roles",
    "relatives",
    "days",
    "stop",
    "common",
    "record",
    "national",
    "departments",
    "acts",
    "phone",
)


class Judging(Reading):
    """Judges each word of a text by itself."""

    def judge(self, at: int) -> Is:
        token = self.tokens[at]
        if (
            token.word[0].isdigit()
            or len(token.word) < 2
            or self._unit(at)
            or re.match(r"[A-Z\d]{1,5}-[a-zäö]|[A-Z]{2,}[a-z]", token.word)
            or self._symbol(token)
        ):
            return Is.OTHER
        if self._called_for(at) or self._told(at):
            return Is.PERSON
        return self._capitalised(at) if token.capital else self._lower(at)

    def _called_for(self, at: int) -> bool:
        """Whether a title, role or relative before the word says that a name follows."""
        token, lead = self.tokens[at], self._lead(at)
        if lead < 0 or self.listed(token, "titles", "roles", "relatives"):
            return False
        before = self.tokens[lead]
        gap = self.text[before.end : self.tokens[lead + 1].start]
        title = self.listed(before, "titles") and before.word != "mRS" and gap.strip(" .ªº") == ""
        if self.listed(token, "days"):
            return title and token.capital and not self.listed(before, "relatives", "roles")
        if title and (token.capital or self._lower_name(token, before)):
            return not self.acronym(token) and (token.capital or self._plausible(token))
        if self.words.country(token.word) and self.placed(at) and not title:
            return False
        trigger = self.listed(before, "roles", "relatives", "naming") and gap.strip(" \"'“«(,:") == "" and len(gap) < 4
        if trigger and not token.capital:
            return self._bare(at, gap)
        return (
            trigger
            and token.capital
            and not self.acronym(token)
            and not (self.listed(token, "stop", "common") and gap.strip(" ") != "")
            and ("'" in token.word or "’" in token.word or not self.words.clinical(token.word))
            and not self.words.eponym(token.word)
        )

    def _told(self, at: int) -> bool:
        """Whether what follows says that it was a name: *Raminhos, irmão do doente*, *Wren, 67,*; or a name and an *and* before."""
        token, words = self.tokens[at], self.words
        if (
            not token.capital
            or len(token.word) < 3
            or self.acronym(token)
            or words.clinical(token.word)
            or words.eponym(token.word)
            or words.country(token.word)
            or self.text[token.end : token.end + 1].isdigit()
            or self.listed(token, *_LEADING)
        ):
            return False
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if after is not None and self.listed(after, "relatives") and self.text[token.end : after.start] == ", ":
            return not words.place(token.word)
        if re.search(r"(?<!\w)[A-Z]\.[ -]?[A-Z]\. ?$", self.text[max(0, token.start - 8) : token.start]):
            return True  # J.L. Arrabal
        if _AGED.match(self.text, token.end):
            return not words.known(token.word) or words.name(token.word)
        return (
            at > 1
            and self.tokens[at - 1].word in _AND
            and self.tokens[at - 2].judged is Is.PERSON
            and not words.place(token.word)
            and (words.code != "en" or words.name(token.word))
            and self.text[self.tokens[at - 2].end : token.start] == f" {self.tokens[at - 1].word} "
        )

    def _lead(self, at: int) -> int:
        """Where the word stands that is before the initials and particles that begin a name: *Prof* of *Prof C. M. van der Berg*."""
        back = at - 1
        while back > 0 and (
            (self.tokens[back].capital and len(self.tokens[back].word) == 1)
            or (self.tokens[at].capital and self.tokens[back].word.lower() in PARTICLES)
        ):
            back -= 1
        return back if back >= 0 and self.listed(self.tokens[back], "titles", "roles") else at - 1

    def _lower_name(self, token: Token, title: Token) -> bool:
        """Whether a lower-case word after a title may be a name; after *father* or *sister* only if it is no other word."""
        if not self.words.known(token.word):
            return True
        if self.listed(title, "relatives", "roles"):
            return self.words.at_home(token.word, "given") and not self.listed(token, "ordinary", "common", "acts")
        return self.words.name(token.word)

    def _bare(self, at: int, gap: str) -> bool:
        """A name in lower case after a relative: in brackets with more to come, or a word that is nothing else."""
        token, words = self.tokens[at], self.words
        if len(token.word) < 3 or self.listed(token, "stop", "common", "acts") or words.medical(token.word):
            return False
        enclosed = "(" in gap and self.text[token.end : token.end + 1] in (",", ")")
        home = words.at_home(token.word, "given")
        return (enclosed and (home or not words.known(token.word))) or (
            words.code != "fi"
            and gap == " "
            and len(token.word) > 3
            and not words.known(token.word)
            and not re.search(r"\d", token.word)
        )

    def _symbol(self, token: Token) -> bool:
        """Whether it is a symbol, not a word: SpO2, NaCl, MoCA."""
        glued = self.text[token.end : token.end + 1].isdigit()
        return (glued and len(token.word) < 6) or (
            re.fullmatch(r"[A-Z][a-z]{1,2}[A-Z]{1,3}[a-z]?", token.word) is not None
            and not token.word.startswith("Mc")
            and not self.words.name(token.word)
        )

    def _plausible(self, token: Token) -> bool:
        """Whether a lower-case word after a title may be a name; one of three letters only if it is listed and no other word."""
        if len(token.word) < 3 or self.listed(token, "stop"):
            return False
        if len(token.word) == 3:
            return self.words.name(token.word) and not self.words.known(token.word)
        return self.words.name(token.word) or not self.words.known(token.word)

    def _capitalised(self, at: int) -> Is:
        token, words = self.tokens[at], self.words
        if self.acronym(token) or self.listed(
            token, "titles", "roles", "relatives", "days", "stop", "record", "national"
        ):
            return Is.OTHER
        if token.word.lower() in words.language.months or words.eponym(token.word) or self.termed(at):
            return Is.OTHER
        if words.country(token.word) and (self.placed(at) or token.word.lower() not in _ALSO_NAMES):
            return Is.OTHER
        if self._list_form(at):
            return Is.PERSON
        if words.known(token.word) and self._numbered(token):
            return Is.OTHER
        named = words.name(token.word)
        if (
            words.place(token.word)
            and (not words.known(token.word) or not token.first)
            and (self.placed(at) or not named)
        ):
            return Is.PERSON if self._subject(at) or self._followed(at) else Is.PLACE
        if named and (not token.first or self._surely(token) or self._acting(at)):
            at_home = words.at_home(token.word, "given") or words.at_home(token.word, "family")
            return Is.OTHER if words.drug(token.word) and not at_home else Is.PERSON
        if (
            words.code != "en"
            and not token.first
            and not token.shout
            and len(token.word) > 2
            and not words.medical(token.word)
        ):
            # these languages capitalise little but names inside a sentence; English writes headings and units so
            ordinary = self.listed(token, "departments") or (words.known(token.word) and not named)
            return Is.OTHER if ordinary else Is.PLACE if self.placed(at) else Is.PERSON
        if (
            words.known(token.word)
            or (token.first and (words.compound(token.word) or words.derived(token.word)))
            or (token.shout and not named)
            or len(token.word) < 3
        ):
            return Is.OTHER
        return Is.PLACE if self.placed(at) else Is.PERSON

    def _numbered(self, token: Token) -> bool:
        """Whether a number after a word counts it: *Ward 9*; of a given name only if no time follows, as in *Mark 4 days ago*."""
        lasts = self.words.at_home(token.word, "given") and _LASTING.match(self.text, token.end)
        return not lasts and _NUMBERED.match(self.text, token.end) is not None

    def _list_form(self, at: int) -> bool:
        """Whether a word in capitals that is no ordinary one has an initial after it: OZTURK M."""
        token = self.tokens[at]
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        return (
            token.shout
            and len(token.word) > 3
            and after is not None
            and len(after.word) == 1
            and after.capital
            and not self.words.known(token.word)
            and self.touch(at, at + 1)
        )

    def _surely(self, token: Token) -> bool:
        """Whether a word is a name even where a sentence begins."""
        words = self.words
        if self.listed(token, "ordinary") or words.term(token.word):
            return False
        if not words.known(token.word):
            return not (words.compound(token.word) and not words.at_home(token.word, "family"))
        return (
            words.at_home(token.word, "given")
            or (words.code == "fi" and words.at_home(token.word, "family"))
            or words.surname_shape(token.word)
        )

    def _acting(self, at: int) -> bool:
        """Whether a given name, though an ordinary word, does what patients do: *Grace reports*."""
        token, after = self.tokens[at], self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        home = self.words.at_home(token.word, "given") or (
            self.words.at_home(token.word, "family") and not self.listed(token, "ordinary")
        )
        return after is not None and self.listed(after, "acts") and home

    def _followed(self, at: int) -> bool:
        """Whether a town's name that is a given name too has a capitalised word after it: *Prazeres Igreja*."""
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        given = self.words.at_home(self.tokens[at].word, "given")
        return (
            given
            and after is not None
            and after.capital
            and not after.shout
            and self.text[self.tokens[at].end : after.start] == " "
        )

    def _subject(self, at: int) -> bool:
        """Whether a town's name after a given name does what patients do: *Rauha Rantasalmi kertoi*."""
        before, after = self.before(at), self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        return (
            before is not None
            and before.capital
            and self.words.given(before.word)
            and self.touch(at - 1, at)
            and after is not None
            and self.listed(after, "acts")
        )

    def _lower(self, at: int) -> Is:
        """A lower-case word is a name if it is listed as one and nothing else."""
        token, words = self.tokens[at], self.words
        if self._paired(at):
            return Is.PERSON
        if len(token.word) < 4 or self.listed(token, "ordinary") or words.medical(token.word):
            return Is.OTHER
        home = words.at_home(token.word, "given") or words.at_home(token.word, "family")
        if not words.known(token.word):
            return Is.PERSON if home or (token.first and words.name(token.word)) else Is.OTHER
        given = words.at_home(token.word, "given") and not self._inflected(token)
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        followed = (
            after is not None
            and not after.capital
            and words.at_home(after.word, "family")
            and not self.listed(after, "ordinary", "stop")
        )
        return Is.PERSON if given and ((followed and words.code == "fi") or token.first) else Is.OTHER

    def _paired(self, at: int) -> bool:
        """Whether it stands after *pt*, *paz*, *dte* with another name beside it, both in lower case."""
        before, after = self.before(at), self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if before is None or after is None or not self.listed(before, "subjects"):
            return False
        return all(
            len(word) > 3 and self.words.name(word) and not self.words.medical(word)
            for word in (self.tokens[at].word, after.word)
        ) and not self.listed(after, "stop", "common", "acts")

    def _inflected(self, token: Token) -> bool:
        form = self.words.form(token.word, "given")
        return bool(form and form.ending)

    def _unit(self, at: int) -> bool:
        """Whether it is a short word right after a number: Gy, Fr, kg."""
        before, token = self.before(at), self.tokens[at]
        return before is not None and before.word[0].isdigit() and len(token.word) < 4 and token.start - before.end < 2
