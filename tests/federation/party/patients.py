"""A small cohort for tests, split by site."""

import polars as pl

from federation.site import TableSite
from records.schema import Column, Kind, Outcome, Role, Schema


def codebook(sexes: str = "fm") -> Schema:
    """A codebook of four columns; ``sexes`` lists the levels of one of them."""
    return Schema(
        name="stroke", title="Stroke",
        columns=(
            Column(name="patient", label="Patient", role=Role.IDENTIFIER, kind=Kind.TEXT),
            Column(name="sex", label="Sex", role=Role.QUASI_IDENTIFIER, kind=Kind.CATEGORY, levels={s: s for s in sexes}),
            Column(
                name="age", label="Age", role=Role.QUASI_IDENTIFIER, kind=Kind.INTEGER, minimum=18, maximum=98, bins=(65,),
                unit="a",
            ),
            Column(
                name="stage", label="Stage", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"1": "I", "2": "II"},
                missing=True,
            ),
        ),
        outcomes=(Outcome(name="worse", label="Worse stage", column="stage", positive=("2",)),),
    )  # fmt: skip


def site(patients: int = 20, *, first: int = 0, sexes: str = "fm") -> TableSite:
    """Patients numbered from ``first``; every third is a woman."""
    numbers = range(first, first + patients)
    rows = {
        "patient": [f"p{n}" for n in numbers], "sex": ["f" if n % 3 == 0 else "m" for n in numbers],
        "age": [40 + n % 50 for n in numbers], "stage": [None if n % 5 == 0 else "1" for n in numbers],
    }  # fmt: skip
    schema = codebook(sexes)
    return TableSite({"stroke": (schema, pl.DataFrame(rows, schema=schema.polars()))})
