"""The fields against SQLAlchemy models that somebody else generated from the standard's own definition."""

import pytest
import sqlalchemy as sa
from omop_cdm.regular.cdm54 import Base

from harmonisation.omop.tables import TABLES, Field, Form, empty, primary_key

PEER = {table.name: table for table in Base.metadata.tables.values()}
FORMS = {
    Form.INTEGER: sa.Integer, Form.NUMBER: sa.Numeric, Form.TEXT: sa.String, Form.DATE: sa.Date, Form.DATETIME: sa.DateTime,
}  # fmt: skip


def reference(column: sa.Column) -> str | None:
    return next((key.target_fullname.split(".")[-2] for key in column.foreign_keys), None)


@pytest.mark.parametrize("table", TABLES)
def test_fields_are_those_of_the_standard(table: str) -> None:
    columns = {column.name: column for column in PEER[table].columns}
    assert list(TABLES[table]) == list(columns)
    for name, field in TABLES[table].items():
        column = columns[name]
        assert isinstance(column.type, FORMS[field.form]), name
        assert field.required is not column.nullable, name
        assert field.primary is column.primary_key, name
        assert field.references == reference(column), name
        assert field.length == getattr(column.type, "length", None), name


def test_domains_belong_to_concepts() -> None:
    for fields in TABLES.values():
        for name, field in fields.items():
            if field.domain:
                assert field.references == "concept"
            if name.endswith("_type_concept_id"):
                assert field.domain == "Type Concept", name


def test_an_empty_table_has_the_types() -> None:
    person = empty("person")
    assert person.height == 0
    assert person.schema == {name: field.dtype for name, field in TABLES["person"].items()}
    assert primary_key("death") == "person_id"
    assert TABLES["person"]["gender_concept_id"] == Field(Form.INTEGER, True, False, "concept", "Gender", None)
