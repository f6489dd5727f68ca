"""Which persons of OMOP tables are a cohort's, from which day, and until when they were seen.

Belongs here: membership, index date, end of follow-up and death. Does not belong here: findings (``records``).

Tables that this project wrote name the cohort in the source value of the disease; in another program's database the
cohort is everybody with the mapping's condition concept from its first date on, and without one everybody observed.

References
----------
OMOP CDM v5.4: PERSON, OBSERVATION_PERIOD, CONDITION_OCCURRENCE, DEATH.
"""

from dataclasses import dataclass

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.findings import END, INDEX, PERSON
from harmonisation.omop.mapping import OmopMapping, Table
from records.errors import Problem, TableError

DIED = "_died"
FIELDS = (
    "year_of_birth", "person_source_value", "gender_concept_id", "gender_source_value", "race_concept_id",
    "race_source_value", "ethnicity_concept_id", "ethnicity_source_value",
)  # fmt: skip


@dataclass(frozen=True)
class Members:
    """A cohort's persons, one row each, in the order of their ids.

    Parameters
    ----------
    people : polars.DataFrame
        ``_person``, ``_index``, ``_end``, ``_died`` and the fields of PERSON that a codebook can ask for.
    own : bool
        Whether this project wrote the tables, so that source values tell the columns.
    """

    people: pl.DataFrame
    own: bool


def members(cdm: Cdm, mapping: OmopMapping) -> Members:
    """The cohort's persons.

    Raises
    ------
    TableError
        There is none, or follow-up is asked for and somebody's is not known.
    """
    starts, own = _starts(cdm, mapping)
    persons = cdm.fields("person", ("person_id", *FIELDS))
    deaths = cdm.fields("death", ("person_id", "death_date"))
    people = (
        persons.join(starts, on="person_id")
        .join(_ends(cdm, starts), on="person_id", how="left")
        .join(deaths.unique("person_id", keep="first"), on="person_id", how="left")
        .sort("person_id")
        .rename({"person_id": PERSON})
    )
    if people.is_empty():
        rule = f"hold somebody of {mapping.cohort}"
        raise TableError("OMOP tables", [Problem("person", rule, "nobody", "check the mapping's condition")])
    _refuse_unseen(people, mapping)
    seen = pl.coalesce(pl.col(END), "death_date", pl.col(INDEX))
    end = pl.min_horizontal(seen, pl.col("death_date"))
    died = pl.col("death_date").is_not_null() & (pl.col("death_date") <= seen)
    return Members(people.with_columns(end.alias(END), died.alias(DIED)).drop("death_date"), own)


def _refuse_unseen(people: pl.DataFrame, mapping: OmopMapping) -> None:
    """Without a period and a death nobody knows how long a person was seen; zero days would be wrong."""
    unseen = people.filter(pl.col(END).is_null() & pl.col("death_date").is_null()).height
    if unseen and mapping.where(Table.PERIOD, Table.DEATH):
        told = f"{unseen} of {people.height} without"
        remedy = "add their periods, or take them out of the extract"
        raise TableError(
            "OMOP tables",
            [Problem("observation_period", "last to the index date or longer for each person", told, remedy)],
        )


def _starts(cdm: Cdm, mapping: OmopMapping) -> tuple[pl.DataFrame, bool]:
    """Person and index date, and whether the cohort's name told them."""
    wanted = ("person_id", "condition_concept_id", "condition_start_date", "condition_source_value")
    conditions = cdm.fields("condition_occurrence", wanted)
    found = conditions.filter(pl.col("condition_source_value") == mapping.cohort)
    own = not found.is_empty()
    if not own and mapping.condition.id:
        found = conditions.filter(pl.col("condition_concept_id") == mapping.condition.id)
    elif not own:
        found = cdm.fields("observation_period", ("person_id", "observation_period_start_date"))
    at = next(name for name in found.columns if name.endswith("start_date"))
    return found.group_by("person_id").agg(pl.col(at).min().alias(INDEX)), own


def _ends(cdm: Cdm, starts: pl.DataFrame) -> pl.DataFrame:
    periods = cdm.fields("observation_period", ("person_id", "observation_period_end_date"))
    end = pl.col("observation_period_end_date")
    # The period that holds the index date ends first among those that end after it.
    return (
        periods.join(starts, on="person_id")
        .filter(end >= pl.col(INDEX))
        .group_by("person_id")
        .agg(end.min().alias(END))
    )
