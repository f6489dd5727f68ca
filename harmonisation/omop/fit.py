"""Whether a mapping fits a codebook, and a mapping from the codebook alone.

Belongs here: comparing names, levels, units and codes; nothing is read from data. Does not belong here: whether concept
ids are right (``vocabulary``).
"""

from collections.abc import Iterator, Mapping

from harmonisation.omop.mapping import DAYS, EVENTS, NONE, SOURCE_LENGTH, Concept, Mapped, OmopMapping, Table
from records.errors import CodebookError
from records.schema import Column, Kind, Role, Schema

AGE, SEXES = "30525-0", ("76689-9", "46098-0")  # LOINC
GENDERS = {"female": Concept(id=8532, name="FEMALE"), "male": Concept(id=8507, name="MALE")}


def fitted(mapping: OmopMapping, schema: Schema) -> OmopMapping:
    """The mapping restricted to the schema's columns, if it fits them.

    Raises
    ------
    CodebookError
        It does not; all misfits are listed.
    """
    if found := list(_misfits(mapping, schema)):
        raise CodebookError(
            f"the OMOP mapping of {mapping.cohort} must fit its codebook, got: {'; '.join(found)}; mend it"
        )
    kept = {name: mapped for name, mapped in mapping.columns.items() if name in schema.names}
    return mapping.model_copy(update={"columns": kept})


def completed(mapping: OmopMapping | None, schema: Schema) -> OmopMapping:
    """A mapping for any schema that came from the mapped one: reviewed where it says something, else by default.

    De-identified and released tables have coarser levels and new columns; what the mapping says of others is dropped.
    """
    default = default_mapping(schema)
    if mapping is None:
        return default
    columns = {name: _for(mapping, schema[name], mapped) for name, mapped in default.columns.items()}
    columns |= {name: default.columns[name] for name in _undated_deaths(columns)}
    return mapping.model_copy(update={"columns": _single(columns), "left_out": {}})


def default_mapping(schema: Schema) -> OmopMapping:
    """A mapping from the codebook alone: numbers are measurements, the rest observations; no id but sex is known."""
    columns = {column.name: _default(column) for column in schema.columns if column.name not in implicit(schema)}
    return OmopMapping(cohort=schema.name, columns=_single(columns))


def _for(mapping: OmopMapping, column: Column, default: Mapped) -> Mapped:
    reviewed = mapping.columns.get(column.name)
    if reviewed is None:
        return default
    levels = {level: concept for level, concept in reviewed.levels.items() if level in column.levels}
    reviewed = reviewed.model_copy(update={"levels": levels})
    return default if any(_column_misfits(reviewed, column)) else reviewed


def _undated_deaths(columns: Mapping[str, Mapped]) -> list[str]:
    """Deaths without follow-up time, whose day nobody knows."""
    followed = any(mapped.table is Table.PERIOD for mapped in columns.values())
    return [name for name, mapped in columns.items() if mapped.table is Table.DEATH and not followed]


def _single(columns: dict[str, Mapped]) -> dict[str, Mapped]:
    """Codes that stand for several columns give way to the columns' names."""
    sources = [mapped.source or mapped.concept.text for mapped in columns.values()]
    shared = {text for text in sources if text and sources.count(text) > 1}
    return {
        name: mapped.model_copy(update={"source": name}) if (mapped.source or mapped.concept.text) in shared else mapped
        for name, mapped in columns.items()
    }


def _default(column: Column) -> Mapped:
    if _whole_days(column):
        return Mapped(table=Table.PERIOD)
    if column.role is Role.EVENT:
        return Mapped(table=Table.CONDITION, levels={"1": NONE}, source=column.name)
    vocabulary = next((name for name in ("LOINC", "SNOMED") if name in column.codes), None)
    concept = Concept(vocabulary=vocabulary, code=column.codes[vocabulary]) if vocabulary else NONE
    if column.codes.get("LOINC") == AGE and column.unit in ("a", None) and column.numeric:
        return Mapped(table=Table.PERSON, field="year_of_birth", concept=concept)
    if column.codes.get("LOINC") in SEXES and column.kind is Kind.CATEGORY:
        levels = {level: GENDERS[level] for level in column.levels if level in GENDERS}
        return Mapped(table=Table.PERSON, field="gender", concept=concept, levels=levels)
    unit = Concept(vocabulary="UCUM", code=column.unit) if column.unit else NONE
    return Mapped(table=Table.MEASUREMENT if column.numeric else Table.OBSERVATION, concept=concept, unit=unit)


def _whole_days(column: Column) -> bool:
    """Whether follow-up time can be told by two dates and come back exactly."""
    if column.role is not Role.TIME or column.missing or column.unit not in DAYS:
        return False
    return column.kind is Kind.INTEGER or bool(column.step and column.step * DAYS[column.unit] >= 1)


def implicit(schema: Schema) -> set[str]:
    """Columns that need no mapping: the patient's number, other identifiers (never exported), and the index date."""
    return {column.name for column in schema.with_role(Role.IDENTIFIER)} | {schema.index_date or ""}


def _misfits(mapping: OmopMapping, schema: Schema) -> Iterator[str]:
    for column in schema.columns:
        if column.name in implicit(schema) or column.name in mapping.left_out:
            continue
        if column.name not in mapping.columns:
            yield f"{column.name} is neither mapped nor left out"
        else:
            mapped = mapping.columns[column.name]
            yield from (f"{column.name} {what}" for what in _column_misfits(mapped, column))
            longest = max((len(level) + 1 for level in mapped.levels), default=0) if mapped.table in EVENTS else 0
            if len(mapping.source(column.name)) + longest > SOURCE_LENGTH:
                yield f"{column.name} has a source value longer than {SOURCE_LENGTH} characters"
    known = {name: mapped for name, mapped in mapping.columns.items() if name in schema.names}
    yield from (f"{name} needs follow-up time in observation_period to go to death" for name in _undated_deaths(known))
    sources = [mapping.source(name) for name, mapped in mapping.columns.items() if mapped.table is not Table.PERIOD]
    yield from (
        f"source value {text} stands for several columns" for text in {s for s in sources if sources.count(s) > 1}
    )


def _column_misfits(mapped: Mapped, column: Column) -> Iterator[str]:
    category = column.kind is Kind.CATEGORY
    if unknown := sorted(set(mapped.levels) - set(column.levels)):
        yield f"has no levels {unknown}"
    if mapped.table in EVENTS and not (category and mapped.levels):
        yield f"must be a category with levels that mean {mapped.table}"
    if mapped.table is Table.PERIOD and not _whole_days(column):
        yield f"must be follow-up time in {', '.join(DAYS)}, known in every row and no finer than a day"
    if mapped.table is Table.DEATH and (column.role is not Role.EVENT or column.missing):
        yield "must be the event, known in every row, to go to death"
    if mapped.field == "year_of_birth" and not (column.numeric and column.unit in ("a", None)):
        yield "must be an age in years"
    if mapped.field in ("gender", "race", "ethnicity") and not category:
        yield "must be a category"
    if mapped.factor != 1 and not (column.kind is Kind.INTEGER or column.step):
        yield "must be an integer or have a step to be scaled and come back exactly"
    expected = column.codes.get(mapped.concept.vocabulary or "")
    if expected is not None and mapped.concept.code != expected:
        yield "has another code than the codebook"
    if (
        mapped.table is Table.MEASUREMENT
        and mapped.factor == 1
        and column.unit
        and mapped.unit.code not in (None, column.unit)
    ):
        yield "has another unit than the codebook"
