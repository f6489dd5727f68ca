"""A mapping's concept ids against the OHDSI vocabularies, where a database holds them.

Belongs here: comparing ids, codes and whether a concept is standard. Does not belong here: the vocabularies, which their
owners license and Athena hands out.

References
----------
OMOP CDM v5.4: CONCEPT; https://athena.ohdsi.org.
"""

import polars as pl

from harmonisation.omop.cdm import Cdm
from harmonisation.omop.mapping import Confidence, OmopMapping
from records.errors import Problem, StorageError

LOAD = "load the vocabularies from Athena, or work by concept ids"


def concepts_of(cdm: Cdm) -> pl.DataFrame:
    """The concept table.

    Raises
    ------
    StorageError
        The tables hold no vocabulary.
    """
    concepts = cdm.fields(
        "concept", ("concept_id", "concept_name", "vocabulary_id", "concept_code", "standard_concept")
    )
    if concepts.is_empty():
        raise StorageError(f"the OMOP database must hold the vocabularies for this, got no concepts; {LOAD}")
    return concepts


def check_concepts(mapping: OmopMapping, cdm: Cdm) -> list[Problem]:
    """Where the mapping and the vocabularies disagree; concepts that the vocabularies lack are a problem when verified.

    Raises
    ------
    StorageError
        The tables hold no vocabulary.
    """
    known = {row["concept_id"]: row for row in concepts_of(cdm).iter_rows(named=True)}
    found = []
    for place, concept in mapping.concepts():
        row = known.get(concept.id)
        if concept.id and row is None and concept.confidence is not Confidence.UNVERIFIED:
            found.append(Problem(place, "have an id of the vocabularies", f"{concept.id}", "mark it unverified"))
        if concept.id and row is not None:
            theirs = (row["vocabulary_id"], row["concept_code"])
            if theirs != (concept.vocabulary, concept.code):
                found.append(Problem(place, f"be {':'.join(theirs)} by its id", str(concept.text), "mend the mapping"))
            elif row["standard_concept"] != "S":
                found.append(Problem(place, "be a standard concept", f"{concept.id}", "map it to the standard one"))
    return found


def with_names(frame: pl.DataFrame, field: str, cdm: Cdm) -> pl.DataFrame:
    """The frame with the names of the concepts in ``field`` as ``concept_name``.

    Raises
    ------
    StorageError
        The tables hold no vocabulary.
    """
    names = concepts_of(cdm).select(pl.col("concept_id").alias(field), "concept_name")
    return frame.join(names, on=field, how="left", maintain_order="left")
