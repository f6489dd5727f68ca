"""De-identified image tables: whole patients are held out, ages are coarse, small classes are flagged."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import use_cases
from deidentification.images import deidentify_images, images_to_hand_out, released_images, split_images
from models.phantoms import PHANTOMS
from records.images import PATIENT, ImageTable, validate_images
from use_cases.images import load_image_codebook

SCHEMA = load_image_codebook(Path(use_cases.__file__).parent / "lung" / "lung_ct_phantom.yaml").image


@pytest.fixture(scope="module")
def table() -> ImageTable:
    return PHANTOMS["lung_ct_phantom"](60, slices=2, size=(16, 16), rng=np.random.default_rng(0))


def test_all_slices_of_a_patient_are_on_one_side(table: ImageTable) -> None:
    made = deidentify_images(table, SCHEMA, k=5)
    train, held = split_images(made.table, SCHEMA)
    assert not set(train.patients) & set(held.patients)
    assert len(train) + len(held) == len(table)
    assert made.counts.held_out == len(held.patients)
    # 60 patients, each held out with probability .3: outside 5 to 33 with probability below 1e-4.
    assert 5 <= len(held.patients) <= 33


def test_removing_a_patient_moves_no_other(table: ImageTable) -> None:
    gone = table.patients[7]
    fewer = table.of_patients(set(table.patients) - {gone})
    kept = deidentify_images(table, SCHEMA, k=5).table.rows.filter(pl.col(PATIENT) != gone)
    assert deidentify_images(fewer, SCHEMA, k=5).table.rows["holdout"].equals(kept["holdout"])


def test_ages_are_coarse_and_small_classes_are_not_handed_out(table: ImageTable) -> None:
    made = deidentify_images(table, SCHEMA, k=5)
    # The middles of bands of five years.
    assert (made.table.rows["age"] % 5 == 2).all()
    out = images_to_hand_out(made.table).rows.unique(PATIENT)
    assert out.group_by("age").len()["len"].min() >= 5  # type: ignore[operator]
    assert made.counts.suppressed == 60 - out.height


def test_what_is_released_fits_the_released_schema(table: ImageTable) -> None:
    small = released_images(SCHEMA).model_copy(update={"size": (16, 16), "spacing": (22.0, 22.0)})
    train, _ = split_images(deidentify_images(table, SCHEMA, k=5).table, SCHEMA)
    fitting = validate_images(train, small, source="training patients")
    assert fitting.rows.equals(train.rows)
    assert not {"holdout", "k_anonymous"} & set(fitting.rows.columns)


def test_an_image_table_is_never_printed_with_its_rows(table: ImageTable) -> None:
    assert repr(table) == "ImageTable(120 slices of 16 x 16, phantom)"
