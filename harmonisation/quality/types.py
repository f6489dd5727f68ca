"""The check types: names as in the DataQualityDashboard, categories as in Kahn's framework.

Belongs here: what each check asks. Does not belong here: asking it (``conformance``, ``completeness``, ``plausibility``).

References
----------
OHDSI DataQualityDashboard 2.8, check type descriptions.
Kahn et al. (2016). A harmonized data quality assessment terminology and framework. eGEMs 4(1):1244.
"""

from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What a check is about."""

    CONFORMANCE = "conformance"
    COMPLETENESS = "completeness"
    PLAUSIBILITY = "plausibility"


class Context(StrEnum):
    """Verification needs the data and the standard alone; validation needs knowledge from outside."""

    VERIFICATION = "verification"
    VALIDATION = "validation"


class Level(StrEnum):
    """What one check of the type is made for."""

    TABLE = "table"
    FIELD = "field"
    CONCEPT = "concept"


@dataclass(frozen=True)
class CheckType:
    """A check type; ``asks`` is what makes a record violate it."""

    name: str
    level: Level
    category: Category
    context: Context
    asks: str


_CONFORMANCE, _COMPLETENESS, _PLAUSIBILITY = Category
_VERIFICATION, _VALIDATION = Context
_TABLE, _FIELD, _CONCEPT = Level
_LISTED = (
    CheckType("cdmTable", _TABLE, _CONFORMANCE, _VERIFICATION, "the table does not exist"),
    CheckType("cdmField", _FIELD, _CONFORMANCE, _VERIFICATION, "the field does not exist"),
    CheckType("cdmDatatype", _FIELD, _CONFORMANCE, _VERIFICATION, "the value is not of the field's type or length"),
    CheckType("isRequired", _FIELD, _CONFORMANCE, _VALIDATION, "a required value is missing"),
    CheckType("isPrimaryKey", _FIELD, _CONFORMANCE, _VERIFICATION, "the key occurs more than once"),
    CheckType("isForeignKey", _FIELD, _CONFORMANCE, _VERIFICATION, "the value is no key of the table it refers to"),
    CheckType("fkDomain", _FIELD, _CONFORMANCE, _VERIFICATION, "the concept is of another domain"),
    CheckType("fkClass", _FIELD, _CONFORMANCE, _VERIFICATION, "the concept is of another class"),
    CheckType("isStandardValidConcept", _FIELD, _CONFORMANCE, _VERIFICATION, "the concept is not standard or not valid"),
    CheckType("measurePersonCompleteness", _TABLE, _COMPLETENESS, _VALIDATION, "the person has no record in the table"),
    CheckType("measureConditionEraCompleteness", _TABLE, _COMPLETENESS, _VALIDATION,
              "the person has a condition but no condition era"),
    CheckType("measureValueCompleteness", _FIELD, _COMPLETENESS, _VERIFICATION, "an optional value is missing"),
    CheckType("standardConceptRecordCompleteness", _FIELD, _COMPLETENESS, _VERIFICATION, "the standard concept is 0"),
    CheckType("sourceConceptRecordCompleteness", _FIELD, _COMPLETENESS, _VERIFICATION, "the source concept is 0"),
    CheckType("sourceValueCompleteness", _FIELD, _COMPLETENESS, _VERIFICATION, "a distinct source value is mapped to 0"),
    CheckType("measureObservationPeriodOverlap", _TABLE, _PLAUSIBILITY, _VERIFICATION,
              "the person has observation periods that overlap"),
    CheckType("plausibleValueLow", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the value is below what is plausible"),
    CheckType("plausibleValueHigh", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the value is above what is plausible"),
    CheckType("plausibleTemporalAfter", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the date is before the one it must follow"),
    CheckType("plausibleDuringLife", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the end is more than 60 days after death"),
    CheckType("withinVisitDates", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the date is more than a week outside its visit"),
    CheckType("plausibleAfterBirth", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the date is before birth"),
    CheckType("plausibleBeforeDeath", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the start is more than 60 days after death"),
    CheckType("plausibleStartBeforeEnd", _FIELD, _PLAUSIBILITY, _VERIFICATION, "the start is after the end"),
    CheckType("plausibleGender", _CONCEPT, _PLAUSIBILITY, _VALIDATION, "the person is not of the concept's gender"),
    CheckType("plausibleGenderUseDescendants", _CONCEPT, _PLAUSIBILITY, _VALIDATION,
              "the person is not of the gender of an ancestor of the concept"),
    CheckType("plausibleUnitConceptIds", _CONCEPT, _PLAUSIBILITY, _VERIFICATION, "the unit is none the concept has"),
)  # fmt: skip
DQD = {one.name: one for one in _LISTED}
CONSTRAINT = CheckType(
    "codebookConstraint", _TABLE, _PLAUSIBILITY, _VALIDATION, "the row breaks a constraint of the codebook"
)
TYPES = DQD | {CONSTRAINT.name: CONSTRAINT}
