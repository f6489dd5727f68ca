"""Whether a description fits its kind, the data set's variables and the terms of the permit: all mistakes at once, by field.

Belongs here: pure checks. Does not belong here: the permit's own evaluation (``access.uses``), which decides, and the rules
of each hospital, which its party applies.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pydantic import ValidationError

from hub.catalogue.record import Variable
from hub.computations.description import FEWEST_PARTIES, Description, Filter, mistakes
from hub.computations.kinds import KINDS, Noise
from records.errors import ParameterError

SLACK = 1e-9
NUMERIC = ("integer", "number")
OUTCOMES = ("logistic", "training")
Mistake = tuple[str, str]


class DescriptionError(ParameterError):
    """A description that cannot be ordered; ``fields`` says what is wrong where."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        told = "; ".join(f"{field}: {words}" for field, words in self.fields.items())
        super().__init__(f"the computation must be described well, got {told}; mend these fields")


@dataclass(frozen=True)
class Terms:
    """What a permit leaves to order: columns (``None``: all of the data set) and epsilon."""

    dataset_ids: tuple[str, ...]
    purposes: tuple[str, ...]
    columns: frozenset[str] | None
    epsilon: float
    epsilon_left: float

    def variables(self, known: Sequence[Variable]) -> list[Variable]:
        """Variables of a data set that the permit allows."""
        return [v for v in known if self.columns is None or v.name in self.columns]


def read(values: Mapping[str, Any]) -> Description:
    """The description that plain values hold.

    Raises
    ------
    DescriptionError
        It is malformed.
    """
    try:
        return Description.model_validate(dict(values))
    except ValidationError as error:
        raise DescriptionError(mistakes(error)) from None


def typed(wanted: Description, variables: Sequence[Variable]) -> Description:
    """The description with numbers in filters where the variable is numeric and they were written as text."""
    numeric = {v.name for v in variables if not v.levels and v.datatype in NUMERIC}
    filters = [f.model_copy(update={"value": _numbers(f.value)}) if f.column in numeric else f for f in wanted.filters]
    return wanted.model_copy(update={"filters": filters})


def must_fit(wanted: Description, variables: Sequence[Variable], terms: Terms) -> None:
    """Refuse what does not fit.

    Raises
    ------
    DescriptionError
    """
    found: dict[str, str] = {}
    known = {v.name: v for v in terms.variables(variables)}
    for field, words in (*_terms(wanted, terms), *_kind(wanted), *_columns(wanted, known), *_parties(wanted)):
        found[field] = f"{found[field]}; {words}" if field in found else words
    if found:
        raise DescriptionError(found)


def _terms(wanted: Description, terms: Terms) -> Iterator[Mistake]:
    if wanted.dataset_id not in terms.dataset_ids:
        yield "dataset_id", "must be a data set of the permit"
    if wanted.purpose not in terms.purposes:
        yield "purpose", "must be a purpose of the permit"
    if wanted.epsilon is not None and wanted.epsilon > terms.epsilon_left + SLACK:
        yield "epsilon", f"must be at most what the permit has left, {terms.epsilon_left:g}"


def _kind(wanted: Description) -> Iterator[Mistake]:
    kind = KINDS[wanted.kind]
    if kind.noise is Noise.ALWAYS and wanted.epsilon is None:
        yield "epsilon", "must be given for this kind"
    if kind.noise is Noise.NEVER and wanted.epsilon is not None:
        yield "epsilon", "must be left out: answers of this kind carry no noise"
    if kind.columns is None and wanted.columns:
        yield "columns", "must be left out for this kind"
    if kind.columns is not None and len(wanted.columns) < kind.columns:
        yield "columns", f"must be at least {kind.columns}"
    if wanted.rows is not None and wanted.kind != "synthesis":
        yield "rows", "must be left out: only a synthetic table has rows"
    if wanted.collusion is not None and wanted.epsilon is None:
        yield "collusion", "must be left out for an answer without noise"
    for name in sorted(set(wanted.parameters.given) - set(kind.parameters)):
        yield f"parameters.{name}", "must be left out for this kind"
    yield from _parameters(wanted)


def _parameters(wanted: Description) -> Iterator[Mistake]:
    given = wanted.parameters
    if wanted.kind == "log_rank" and given.by is None:
        yield "parameters.by", "must name the groups' column"
    if given.by is not None and given.by not in wanted.columns:
        yield "parameters.by", "must be among the columns"
    if wanted.kind == "linked_contingency":
        shared = sorted(name for names in (given.holders or {}).values() for name in names)
        if shared != sorted(wanted.columns):
            yield "parameters.holders", "must share out the columns among two hospitals, each once"
    if given.clip is not None and wanted.epsilon is None:
        yield "parameters.clip", "must be left out for an answer without noise"
    if wanted.kind in OUTCOMES:
        yield from _outcome(wanted)


def _outcome(wanted: Description) -> Iterator[Mistake]:
    given = wanted.parameters
    if (given.outcome is None) == (given.horizon is None):
        yield "parameters.outcome", "must be a column, or a horizon must be given, and not both"
    if given.outcome is not None and given.outcome not in wanted.columns:
        yield "parameters.outcome", "must be among the columns"
    if (given.positive is None) != (given.outcome is None):
        yield "parameters.positive", "must name levels of the outcome's column, and only of a column"


def _columns(wanted: Description, known: Mapping[str, Variable]) -> Iterator[Mistake]:
    if any(name not in known for name in (*wanted.columns, *wanted.parameters.columns)):
        yield "columns", "must be variables of the data set that the permit allows"
    for number, one in enumerate(wanted.filters):
        if one.column not in known:
            yield f"filters.{number}.column", "must be a variable of the data set that the permit allows"
        elif not _fits(one, known[one.column]):
            yield f"filters.{number}.value", "must be of the codebook: its levels with ==, != or in, or numbers"


def _fits(one: Filter, variable: Variable) -> bool:
    values = one.value if isinstance(one.value, list) else [one.value]
    if (one.op == "in") != isinstance(one.value, list):
        return False
    if variable.levels:
        return one.op in ("==", "!=", "in") and all(value in variable.levels for value in values)
    return variable.datatype in NUMERIC and all(isinstance(value, int | float) for value in values)


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return value
    return number if isfinite(number) else str(value)  # a text, which no numeric variable takes


def _parties(wanted: Description) -> Iterator[Mistake]:
    named: Collection[str] = wanted.participants
    if named and len(named) < FEWEST_PARTIES:
        yield "participants", f"must be at least {FEWEST_PARTIES}, or empty for all"
    if named and wanted.collusion is not None and wanted.collusion >= len(named):
        yield "collusion", "must be below the number of parties"
    if named and not set(wanted.parameters.holders or {}) <= set(named):
        yield "parameters.holders", "must be among the parties"
