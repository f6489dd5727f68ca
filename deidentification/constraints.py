"""Constraints and outcomes carried over to the de-identified columns.

Belongs here: which public rule still holds in every row after coarsening, and in what form. Does not belong here:
checking rows against it (``records.validation``). A rule that coarsening could break is dropped, never bent: a
synthesizer that enforced a rule the real table breaks would bias the release.
"""

from collections.abc import Iterator, Mapping

from deidentification.dates import days_column
from deidentification.generalisation import coarse_levels, coarsened, generalised_column
from records.errors import CodebookError
from records.schema import Column, Implication, Kind, Ordering, Outcome, Schema


def carried_constraints(schema: Schema, kept: set[str]) -> Iterator[Implication | Ordering]:
    """Constraints of the de-identified schema.

    Parameters
    ----------
    schema : Schema
        Before de-identification.
    kept : set of str
        Names of the de-identified columns.
    """
    for constraint in schema.constraints:
        carry = _implication if isinstance(constraint, Implication) else _ordering
        carried = carry(constraint, schema, kept)  # type: ignore[arg-type]
        if carried is not None:
            yield carried


def carried_outcomes(schema: Schema, kept: set[str]) -> Iterator[Outcome]:
    """Outcomes of the de-identified schema; an outcome whose column is dropped goes with it.

    Raises
    ------
    CodebookError
        Grouping merges positive and negative levels, or the outcome's numbers are coarsened.
    """
    for outcome in schema.outcomes:
        if outcome.column is None:
            yield outcome
        elif outcome.column in kept:
            yield _with_coarse_levels(outcome, schema[outcome.column])


def _with_coarse_levels(outcome: Outcome, column: Column) -> Outcome:
    inside, touched = _levels_inside(outcome.positive, column), _levels_touched(outcome.positive, column)
    if coarsened(column) or inside != touched:
        raise CodebookError(
            f"{column.name} must keep the positive and negative values of outcome {outcome.name} apart, got a coarsening "
            "that merges them; change its groups, generalise or top_code in the codebook"
        )
    return outcome.model_copy(update={"positive": inside})


def _implication(rule: Implication, schema: Schema, kept: set[str]) -> Implication | None:
    """The rule in coarse levels: it must be certain that ``when`` held and possible that ``then`` holds."""
    names = set(rule.when) | set(rule.then)
    if not names <= kept or any(coarsened(schema[name]) for name in names):
        return None
    when = {name: _levels_inside(levels, schema[name]) for name, levels in rule.when.items()}
    then = {name: _levels_touched(levels, schema[name]) for name, levels in rule.then.items()}
    then = {name: levels for name, levels in then.items() if not _allows_all(levels, schema[name])}
    if not then or not all(when.values()):
        return None
    return Implication(when=when, then=then, reason=rule.reason)


def _allows_all(levels: tuple[str, ...], column: Column) -> bool:
    return column.kind is Kind.CATEGORY and set(levels) >= set(coarse_levels(column))


def _levels_inside(levels: tuple[str, ...], column: Column) -> tuple[str, ...]:
    """Coarse levels whose every fine level is listed."""
    outside = _levels_touched(tuple(level for level in column.levels if level not in levels), column)
    return tuple(level for level in _levels_touched(levels, column) if level not in outside)


def _levels_touched(levels: tuple[str, ...], column: Column) -> tuple[str, ...]:
    """Coarse levels of which a fine level is listed."""
    return tuple(dict.fromkeys(column.groups.get(level, level) for level in levels))


def _ordering(rule: Ordering, schema: Schema, kept: set[str]) -> Ordering | None:
    lower, upper = (_as_number(schema[name], schema) for name in (rule.lower, rule.upper))
    if not {lower.name, upper.name} <= kept or not _keeps_order(lower, upper):
        return None
    return Ordering(lower=lower.name, upper=upper.name, reason=rule.reason)


def _as_number(column: Column, schema: Schema) -> Column:
    """A date as its days column; the index date itself has none and stays (it is not kept)."""
    dated = column.kind is Kind.DATE and column.name != schema.index_date
    return days_column(column, schema) if dated else column


def _keeps_order(lower: Column, upper: Column) -> bool:
    """Whether ``lower <= upper`` before coarsening implies it afterwards."""
    if not coarsened(lower) and not coarsened(upper):
        return True
    if not coarsened(upper) and lower.generalise is None:
        return True  # the lower one only went down
    low, high = generalised_column(lower), generalised_column(upper)
    return _grid(lower) == _grid(upper) and _no_higher(low, high)


def _grid(column: Column) -> tuple[Kind, float | None, float | None]:
    return column.kind, column.generalise, column.top_code


def _no_higher(low: Column, high: Column) -> bool:
    bounds: Mapping[str, tuple[float, float]] = {
        c.name: (float(c.minimum or 0), float(c.maximum or 0)) for c in (low, high)
    }
    (low_min, low_max), (high_min, high_max) = bounds[low.name], bounds[high.name]
    return low_min <= high_min and low_max <= high_max
