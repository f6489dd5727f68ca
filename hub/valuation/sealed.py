"""The result of a valuation as a document that is known by its digest.

Belongs here: the document, the split that follows from it, and refusing one whose numbers do not follow from each other. Does not
belong here: measuring (``contribution``), storing (``hub.market.valuations``), the rule of a split (``hub.market.sharing``).

Numbers are decimal text, so that the same document reads the same everywhere; words and shares are made of these numbers.

References
----------
RFC 8785 (canonical JSON).
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from hub.access.odrl import digest
from hub.market.sent import well_formed
from hub.market.sharing import MEASURED_BY, Split
from hub.market.splits import Floor, shares
from hub.valuation.contribution import Contribution, State, Terms, Valuation, decimal_of
from hub.valuation.copies import Overlap
from hub.valuation.explanation import LANGUAGES, explained
from hub.valuation.utility import utility
from records.errors import ParameterError

FORM = "phaseiv-valuation/1"
KEPT = {"kept": True}
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, strict=True)]
Number = Annotated[Decimal, Field(max_digits=24, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Strict):
    """One holder's numbers (``contribution.Contribution``)."""

    holder: Name
    rows: Count
    different: Count
    credited: Number
    worth: Number
    p_value: Number
    state: State
    quality: Annotated[Number, Field(ge=0, le=1)]
    counted: Number
    share: Annotated[Number, Field(ge=0, le=1)]


class Suspicion(_Strict):
    """Rows of a ``later`` holder that look like an ``earlier`` one's more often than chance allows."""

    later: Name
    earlier: Name
    rows: Count
    matched: Count
    expected: Number
    p_value: Number


class Sealed(_Strict):
    """A valuation.

    Parameters
    ----------
    versions : dict
        By holder, sha256 of the table that was valued.
    registered : dict
        By holder, when its data were registered, in any unit that has an order.
    terms, utility : Terms, str
        The rule with its parameters, and what a contribution is measured by, in words.
    words : dict
        By holder and language, its share explained.
    """

    form: Literal["phaseiv-valuation/1"] = FORM
    use_case: Name
    cohort: Name
    versions: dict[Name, Digest]
    registered: dict[Name, Number]
    terms: Terms
    utility: str
    seed: int
    tests: Count
    total: Number
    holders: Annotated[tuple[Line, ...], Field(min_length=1, max_length=500)]
    overlaps: tuple[Suspicion, ...]
    words: dict[Name, dict[str, str]]

    @model_validator(mode="after")
    def _follows(self, info: ValidationInfo) -> Self:
        names = [line.holder for line in self.holders]
        if len(set(names)) != len(names) or any(
            set(x) != set(names) for x in (self.versions, self.registered, self.words)
        ):
            raise ValueError("each holder must have a line, a version, a time and words")
        if any(line.counted != (line.worth if line.state == "paid" else 0) for line in self.holders):
            raise ValueError("what is counted must be what was measured of those who are paid, and 0 of others")
        if [line.share for line in self.holders] != [_rounded(part) for part in self._parts().values()]:
            raise ValueError("shares must follow from what is counted, quality and floor")
        return self if info.context == KEPT else self._worded()

    def _worded(self) -> Self:
        if self.utility != _words(self.terms):
            raise ValueError("the utility must be that of the terms")
        if self.words != _explained(self):
            raise ValueError("words must say the numbers")
        return self

    @property
    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return self.model_dump(mode="json")

    @property
    def sha256(self) -> str:
        """What a split refers to."""
        return digest(self.plain)

    @property
    def valuation(self) -> Valuation:
        """As it was measured, for words and pictures."""
        order = {line.holder: number for number, line in enumerate(self.holders)}
        parts = self._parts()
        lines = tuple(Contribution(
            one.holder, one.rows, one.different, float(one.credited), float(one.worth), float(one.p_value), one.state,
            float(one.quality), float(one.counted), parts[one.holder],
        ) for one in self.holders)  # fmt: skip
        named = tuple(
            (one.later, one.earlier, Overlap(order[one.later], order[one.earlier], one.rows, one.matched,
                                             float(one.expected), float(one.p_value)))
            for one in self.overlaps
        )  # fmt: skip
        return Valuation(self.terms, lines, float(self.total), self.tests, named)

    def split(self, accounts: Mapping[str, str], *, commission: Decimal = Decimal(0)) -> Split:
        """Whose data earn what; ``accounts`` gives each holder's id in the books.

        Raises
        ------
        ParameterError
            A holder has no account or two share one, or nobody contributed.
        """
        if set(accounts) != {one.holder for one in self.holders} or len(set(accounts.values())) != len(accounts):
            raise ParameterError("each holder must have an account of its own, got another; name one for each")
        sizes = {accounts[one.holder]: _size(one) for one in self.holders} if self.terms.floor else {}
        with well_formed("a split"):
            return Split(
                utility=self.utility, contributions={accounts[one.holder]: one.counted for one in self.holders},
                quality={accounts[one.holder]: one.quality for one in self.holders}, sizes=sizes, floor=self.terms.floor,
                commission=commission, source=f"{MEASURED_BY}{self.sha256}",
            )  # fmt: skip

    def _parts(self) -> dict[str, Fraction]:
        """Exact shares; none where nobody contributed."""
        if not any(one.counted * one.quality > 0 for one in self.holders):
            return {one.holder: Fraction(0) for one in self.holders}
        floor = Floor(self.terms.floor, {one.holder: _size(one) for one in self.holders}) if self.terms.floor else None
        counted, quality = ({one.holder: getattr(one, name) for one in self.holders} for name in ("counted", "quality"))
        return shares(counted, quality=quality, floor=floor)


def seal(
    found: Valuation, *, use_case: str, cohort: str, versions: Mapping[str, str], registered: Mapping[str, float], seed: int
) -> Sealed:  # fmt: skip
    """The document of what was measured."""
    holders = tuple(_line(one) for one in found.lines)
    unworded = Sealed.model_construct(
        use_case=use_case, cohort=cohort, versions=dict(versions), terms=found.terms, utility=_words(found.terms), seed=seed,
        registered={name: decimal_of(when) for name, when in registered.items()}, tests=found.tests,
        total=decimal_of(found.total), holders=holders, words={},
        overlaps=tuple(Suspicion(later=b, earlier=a, rows=o.rows, matched=o.matched, expected=decimal_of(o.expected),
                                 p_value=decimal_of(o.p_value)) for b, a, o in found.overlaps),
    )  # fmt: skip
    shared = unworded._parts()
    holders = tuple(one.model_copy(update={"share": _rounded(shared[one.holder])}) for one in holders)
    known = unworded.model_copy(update={"holders": holders})
    return Sealed.model_validate(known.model_copy(update={"words": _explained(known)}).model_dump())


def read_sealed(document: Any, *, kept: bool = False) -> Sealed:
    """A document whose numbers follow from each other.

    Parameters
    ----------
    kept : bool
        It was read before, and its digest is known to be the same: its words may be those of an earlier version.

    Raises
    ------
    ParameterError
        They do not, or something is missing.
    """
    with well_formed("a valuation", rule="be whole", remedy="value the data again"):
        return Sealed.model_validate(document, context=KEPT if kept else None)


def _line(one: Contribution) -> Line:
    numbers = {name: decimal_of(getattr(one, name)) for name in ("credited", "worth", "p_value", "quality", "counted")}
    return Line(
        holder=one.holder, rows=one.rows, different=one.different, state=one.state, share=_rounded(one.share), **numbers
    )


def _size(one: Line) -> Decimal:
    """Records for the floor; above 0 also where nothing counts as the holder's, who then earns nothing."""
    return one.credited or Decimal(1)


def _words(terms: Terms) -> str:
    return f"{terms.utility}: {utility(terms.utility).words['en']}; {terms.neighbours} neighbours"


def _explained(sealed: Sealed) -> dict[str, dict[str, str]]:
    found = sealed.valuation
    return {one.holder: {name: explained(found, one.holder, name) for name in LANGUAGES} for one in sealed.holders}


def _rounded(part: Fraction) -> Decimal:
    return decimal_of(float(part))
