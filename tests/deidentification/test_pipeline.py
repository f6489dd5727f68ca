"""De-identification is 1-stable, keeps no identifier, and counts add up."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deidentification.k_anonymity import hand_out
from deidentification.pipeline import Deidentified, deidentify
from use_cases.registry import discover

COHORT = discover()["stroke"].cohorts[0]
TABLE = COHORT.load()


def done(frame: pl.DataFrame, key: bytes = b"k" * 32) -> Deidentified:
    return deidentify(frame, COHORT.table, key=key, k=5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, TABLE.height - 1))
def test_one_patient_changes_one_row(position: int) -> None:
    """All but the k flag: a row without its patient is gone, every other row and its split stay."""
    without = pl.concat([TABLE[:position], TABLE[position + 1 :]])
    before, after = (done(frame).frame.drop("k_anonymous") for frame in (TABLE, without))
    assert before.join(after, on="pseudonym", how="anti").height == 1
    assert before.filter(pl.col("pseudonym").is_in(after["pseudonym"].to_list())).equals(after)


def test_no_identifier_survives_and_keys_matter() -> None:
    made = done(TABLE)
    assert "patient_id" not in made.frame.columns
    assert not set(made.frame["pseudonym"]) & set(done(TABLE, b"l" * 32).frame["pseudonym"])
    assert made.frame["age"].max() <= 90  # type: ignore[operator]


def test_handed_out_rows_are_k_anonymous() -> None:
    made = done(TABLE)
    handed = hand_out(made.frame)
    assert handed.height == made.counts.rows - made.counts.suppressed
    assert handed.group_by("age", "sex").len()["len"].min() >= 5  # type: ignore[operator]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="must"):
        done(TABLE, b"short")
