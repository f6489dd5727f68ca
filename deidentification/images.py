"""De-identification of one hospital's image table: coarse clinical columns, small classes flagged, patients held out.

Belongs here: what is left to do once a loader has replaced patient numbers by pseudonyms, dates by ordinals and files by
pixels. Does not belong here: DICOM attributes and burned-in text (``dicom``), faces (``use_cases.images``).
"""

from dataclasses import dataclass, replace

from deidentification.k_anonymity import K_ANONYMOUS, class_sizes, count_classes, with_k_flag
from deidentification.pipeline import Counts, values
from deidentification.schema import deidentified_schema, released_schema
from deidentification.split import DEFAULT_SHARE, HOLDOUT, holdout
from records.images import INDEX, PATIENT, ImageSchema, ImageTable


@dataclass(frozen=True)
class DeidentifiedImages:
    """Images whose rows end with ``k_anonymous`` and ``holdout``, and counts of patients."""

    table: ImageTable
    counts: Counts


def deidentify_images(
    table: ImageTable, schema: ImageSchema, *, k: int, holdout_share: float = DEFAULT_SHARE
) -> DeidentifiedImages:
    """De-identify the rows of an image table; its pixels and masks stay.

    All slices of a patient are held out, or none, by the patient's pseudonym: the split is 1-stable, but another
    pseudonym key gives another split. A patient's class is that of the first slice.

    Parameters
    ----------
    table : ImageTable
        Validated against ``schema``.
    k : int
        Patients per class below which rows are not handed out, at least 2.

    Raises
    ------
    CodebookError
        A coarsening of the schema cannot be.
    ParameterError
        ``k`` or ``holdout_share`` is out of range.
    """
    coarse = deidentified_schema(schema.table)
    rows = table.rows.select(*INDEX, *values(schema.table)).select(*INDEX, *coarse.names)
    people = rows.unique(PATIENT, keep="first", maintain_order=True)
    people = with_k_flag(people.with_columns(holdout(people[PATIENT], holdout_share)), coarse, k)
    marked = rows.join(people.select(PATIENT, K_ANONYMOUS, HOLDOUT), on=PATIENT, how="left", maintain_order="left")
    sizes = class_sizes(people, coarse)
    counts = Counts(
        rows=people.height, suppressed=people.height - int(people[K_ANONYMOUS].sum()),
        classes=count_classes(people, coarse), smallest_class=int(sizes.min() or 0),  # type: ignore[arg-type]
        held_out=int(people[HOLDOUT].sum()),
    )  # fmt: skip
    return DeidentifiedImages(replace(table, rows=marked), counts)


def released_images(schema: ImageSchema) -> ImageSchema:
    """The schema of synthetic images: coarse columns that may be released."""
    return schema.model_copy(update={"table": released_schema(schema.table)})


def split_images(table: ImageTable, schema: ImageSchema) -> tuple[ImageTable, ImageTable]:
    """Training and held-out patients, with the columns of the released schema; only the former reach a synthesizer."""
    held = table.rows[HOLDOUT].to_numpy()
    kept = replace(table, rows=table.rows.select(*INDEX, *released_images(schema).table.names))
    return kept.select(~held), kept.select(held)


def images_to_hand_out(table: ImageTable) -> ImageTable:
    """Slices of patients whose class is large enough: what learns without differential privacy may see."""
    return table.select(table.rows[K_ANONYMOUS].to_numpy())
