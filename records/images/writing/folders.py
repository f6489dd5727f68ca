"""A table of synthetic images as one folder of the chosen format, whole or not at all.

Belongs here: what all formats share: refusals, pseudonyms, tables beside the images. Does not belong here: a format.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from records.errors import ParameterError, Problem, TableError
from records.folders import whole_folder
from records.images.schema import ImageSchema, Modality
from records.images.table import PATIENT, ImageTable
from records.images.validation import image_problems
from records.images.writing.facts import MadeBy, about

ABOUT, IMAGES = "about.json", "images.csv"
_PHANTOM = "phantom"
_BEARABLE = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,47}$"


class Format(StrEnum):
    """Formats that images are written in."""

    DICOM = "dicom"
    NIFTI = "nifti"
    PNG = "png"


def formats_of(schema: ImageSchema) -> tuple[Format, ...]:
    """Formats that can hold such images: without a scale a slice is neither NIfTI nor CT nor MR of DICOM."""
    projection, scale = schema.modality is Modality.DX, schema.spacing is not None
    able = {Format.DICOM: projection or scale, Format.NIFTI: scale and not projection, Format.PNG: True}
    return tuple(form for form in Format if able[form])


@dataclass(frozen=True)
class Written:
    """What a format put into the folder.

    Parameters
    ----------
    files : sequence of str, [n]
        File of each row, relative to the folder.
    masks : sequence of str, [n], or None
        Its mask.
    stored : str
        How intensities are kept, in words.
    """

    files: Sequence[str]
    masks: Sequence[str] | None
    stored: str


class _Writer(Protocol):
    def write(self, folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy) -> Written: ...


def write_folder(folder: Path, table: ImageTable, schema: ImageSchema, made_by: MadeBy, *, form: Format) -> int:
    """Write synthetic images into a new folder; returns how many.

    Each folder holds ``about.json`` (all facts) and ``images.csv``: a line for each image with its ``file``, the
    ``patient``, perhaps its ``mask``, then labels and clinical columns.

    Parameters
    ----------
    folder : Path
        New or empty.
    table : ImageTable
        Synthetic, in schema form, of one class or more. Pseudonyms of phantoms that do not say so get the prefix
        ``phantom-``.

    Raises
    ------
    ParameterError
        The images must stay on this machine, a pseudonym is not plain, the format cannot hold such images, or its
        library is missing.
    TableError
        The table does not fit the schema.
    StorageError
        The folder has files already, or the disk refuses; nothing is left behind then.
    """
    if table.local_only:
        raise ParameterError("images that leave the machine must not be local only, got such ones; keep them here")
    _refuse_misfits(table, schema)
    table = _named(table, schema)
    writer: _Writer = needing_extra(form.value)
    with whole_folder(folder) as target:
        written = writer.write(target, table, schema, made_by)
        columns = {"file": written.files, "patient": table.rows[PATIENT]}
        columns |= {} if written.masks is None else {"mask": written.masks}
        write_csv(target / IMAGES, pl.DataFrame(columns).hstack(table.rows.drop(PATIENT)))
        write_json(target / ABOUT, about(table, schema, made_by, written.stored))
    return len(table)


def needing_extra(name: str) -> Any:
    """A module of this package, whose libraries are loaded only now.

    Raises
    ------
    ParameterError
        One of them is not installed.
    """
    try:
        return import_module(f"records.images.writing.{name}")
    except ModuleNotFoundError as error:
        raise ParameterError(f"{name} must have its library, got no {error.name}; install the extra images") from None


def _refuse_misfits(table: ImageTable, schema: ImageSchema) -> None:
    missing = [name for name in schema.table.names if name not in table.rows.columns]
    columns = [Problem(name, "be in the table", "no such column", "draw it with the images") for name in missing]
    if problems := [*columns, *image_problems(table, schema)]:
        raise TableError(f"the synthetic images of {schema.name}", problems)


def _named(table: ImageTable, schema: ImageSchema) -> ImageTable:
    """The table with pseudonyms that files and DICOM can bear; those of phantoms say so."""
    name = pl.col(PATIENT)
    if schema.phantom:
        says = name.str.contains(_PHANTOM, literal=True)
        named = pl.when(says).then(name).otherwise(pl.format("phantom-{}", name)).alias(PATIENT)
        table = replace(table, rows=table.rows.with_columns(named))
    if wrong := table.rows.select((~name.str.contains(_BEARABLE)).sum()).item():
        raise ParameterError(
            f"pseudonyms must be 1 to 48 letters, digits, dashes, dots or underscores, got {wrong} others; rename them"
        )
    return table


def write_csv(path: Path, frame: pl.DataFrame) -> None:
    """A table as CSV; missing values are empty."""
    buffer = io.BytesIO()
    frame.write_csv(buffer)
    path.write_bytes(buffer.getvalue())


def write_json(path: Path, value: Any) -> None:
    """A value as indented JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
