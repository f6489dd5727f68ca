import pytest

from federation.jobs.codebook import differing, digests
from records.schema import Column, Kind, Role, Schema

AGE = Column(name="age", label="Age", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=18, maximum=98, unit="a")
SEX = Column(name="sex", label="Sex", role=Role.COVARIATE, kind=Kind.CATEGORY, levels={"f": "Female", "m": "Male"})


def book(*columns: Column) -> dict[str, str]:
    return digests(Schema(name="a", title="A", columns=columns), ["age", "sex", "unknown"])


@pytest.mark.parametrize(
    "changed",
    [
        {"minimum": 0}, {"maximum": 120}, {"unit": "mo"}, {"bins": (65.0,)}, {"missing": True}, {"kind": Kind.NUMBER},
        {"step": 5.0},
    ],
)  # fmt: skip
def test_another_meaning_is_noticed(changed: dict[str, object]):
    assert differing(book(AGE, SEX), book(AGE.model_copy(update=changed), SEX)) == ["age"]


def test_the_order_of_levels_has_a_meaning():
    swapped = SEX.model_copy(update={"levels": {"m": "Male", "f": "Female"}})
    assert differing(book(AGE, SEX), book(AGE, swapped)) == ["sex"]


def test_words_and_other_columns_have_none():
    german = SEX.model_copy(
        update={"label": "Geschlecht", "levels": {"f": "Frau", "m": "Mann"}, "role": Role.SENSITIVE}
    )
    assert differing(book(AGE, SEX), book(german)) == []
    assert book(AGE).keys() == {"age"}
