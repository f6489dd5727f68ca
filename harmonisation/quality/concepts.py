"""Plausibility of values, units and gender for what a concept means.

Belongs here: plausibleValueLow and plausibleValueHigh of concepts, plausibleUnitConceptIds, plausibleGender and
plausibleGenderUseDescendants. Does not belong here: bounds of fields (``plausibility``).

A codebook's column is found by the source value under which its records are kept, since ids of concepts stay 0 until
somebody with the vocabularies has looked them up.

References
----------
OHDSI DataQualityDashboard, concept-level checks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from harmonisation.omop.mapping import OmopMapping, Table
from harmonisation.quality.conformance import NO_VOCABULARY
from harmonisation.quality.context import GENDER, Context, Measure, Skipped
from records.schema import Schema

IMPLAUSIBLE, WRONG_UNIT, WRONG_GENDER = 1.0, 5.0, 5.0
MALE, FEMALE = 8507, 8532
# Conditions of one gender, from the dashboard's concept-level checks.
GENDERED = {26662: MALE, 30969: MALE, 4163261: MALE, 26935: FEMALE}
NO_ANCESTORS = "there is no table concept_ancestor: load it to have descendants checked"


@dataclass(frozen=True)
class ConceptRule:
    """What the records of one source value may hold: bounds, and the unit by concept id (0: by source value)."""

    table: str
    source: str
    low: float
    high: float
    unit_id: int
    unit: str | None


def rules_of(schema: Schema, mapping: OmopMapping) -> list[ConceptRule]:
    """The bounds and units of the codebook, for number columns that become measurements or observations."""
    found = []
    for name in mapping.where(Table.MEASUREMENT, Table.OBSERVATION):
        if name not in schema.names:
            continue
        column, mapped = schema[name], mapping.columns[name]
        if column.numeric and column.minimum is not None and column.maximum is not None:
            low, high = column.minimum * mapped.factor, column.maximum * mapped.factor
            unit = mapped.unit.code or column.unit
            found.append(ConceptRule(mapped.table.value, mapping.source(name), low, high, mapped.unit.id, unit))
    return found


def values(rules: Iterable[ConceptRule]) -> Iterator[Measure]:
    """plausibleValueLow, plausibleValueHigh and plausibleUnitConceptIds of each rule."""
    for rule in rules:
        value, source = pl.col("value_as_number"), pl.col(f"{rule.table}_source_value")
        among = (source == rule.source).fill_null(False) & value.is_not_null()
        needs = ("value_as_number", f"{rule.table}_source_value")
        for check, violated in (
            ("plausibleValueLow", value < rule.low),
            ("plausibleValueHigh", value > rule.high),
        ):
            yield Measure(check, rule.table, "value_as_number", violated.fill_null(False), among, IMPLAUSIBLE,
                          concept=rule.source, needs=needs)  # fmt: skip
        if rule.unit_id or rule.unit:
            name = "unit_concept_id" if rule.unit_id else "unit_source_value"
            other = (pl.col(name) != (rule.unit_id or rule.unit)).fill_null(True)
            yield Measure("plausibleUnitConceptIds", rule.table, "unit_concept_id", other, among, WRONG_UNIT,
                          concept=rule.source, needs=(*needs, name))  # fmt: skip


def genders(context: Context) -> Iterator[Measure | Skipped]:
    """plausibleGender, and with the vocabulary's ancestors plausibleGenderUseDescendants."""
    table, name = "condition_occurrence", "condition_concept_id"
    ancestors = context.cdm.tables.get("concept_ancestor")
    for concept, gender in GENDERED.items():
        among = (pl.col(name) == concept).fill_null(False)
        yield _gender("plausibleGender", table, name, among, gender, concept)
        check = "plausibleGenderUseDescendants"
        if ancestors is None:
            reason = NO_VOCABULARY if context.vocabulary is None else NO_ANCESTORS
            yield Skipped(check, table, name, reason, str(concept))
        else:
            below = ancestors.filter(pl.col("ancestor_concept_id") == concept)["descendant_concept_id"]
            # The concept itself is left to plausibleGender.
            among = pl.col(name).is_in(below.implode()).fill_null(False) & (pl.col(name) != concept)
            yield _gender(check, table, name, among.fill_null(False), gender, concept)


def _gender(check: str, table: str, name: str, among: pl.Expr, gender: int, concept: int) -> Measure:
    other = (pl.col(GENDER) != gender).fill_null(True)
    return Measure(check, table, name, other, among, WRONG_GENDER, concept=str(concept), needs=(name, GENDER))
