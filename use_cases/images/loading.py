"""From a folder and a codebook to an image table: each series read on its own, the bad ones refused by name.

Belongs here: the order of steps and the report. Does not belong here: any file format.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deidentification.pseudonyms import pseudonymise
from records.errors import ParameterError, Problem, TableError
from records.images import INDEX, PATIENT, SERIES, SLICE, STUDY, ImageTable, Refusing, validate_images
from use_cases.images.codebook import ImageCohort, Layout
from use_cases.images.faces import refuse_face, shows_face
from use_cases.images.preparing import chosen_slices, resampled, resampled_masks, scaled
from use_cases.images.report import LoadReport, Refusal, SeriesError
from use_cases.images.volume import Series, Volume

OptedOut = Callable[[pl.Series], pl.Series]
UNNAMED = "a patient without a number"


@dataclass(frozen=True)
class Loaded:
    """An image table in schema form and how its load went."""

    table: ImageTable
    report: LoadReport


@dataclass(frozen=True)
class _Kept:
    rows: list[dict[str, Any]]
    pixels: np.ndarray
    masks: np.ndarray | None


def load_images(
    cohort: ImageCohort, path: Path, *, key: bytes, local_use: bool = False, opted_out: OptedOut | None = None
) -> Loaded:  # fmt: skip
    """Load an image cohort.

    Parameters
    ----------
    path : pathlib.Path
        Folder (or file) in the cohort's layout; it is read only.
    key : bytes
        The hospital's pseudonym key, at least 16 bytes.
    local_use : bool
        Load heads with faces too; the table is then marked ``local_only`` and must not leave the machine.
    opted_out : callable or None
        Whether each of the patients, by the files' numbers, has opted out; their images are not read.

    Raises
    ------
    ParameterError
        The cohort is a phantom, or the key is too short.
    StorageError
        The folder or its table of labels cannot be read.
    TableError
        No series is left, the schema refuses the whole cohort for one, or the rows break the codebook.
    """
    if cohort.layout is Layout.PHANTOM:
        raise ParameterError(f"{cohort.name} must be simulated, got a folder to load; use models.phantoms")
    kept: list[_Kept] = []
    refused: list[Refusal] = []
    faces = False
    found, gone = _without(list(_found(path, cohort)), opted_out)
    for series, pseudonym in zip(found, _pseudonyms(found, key), strict=True):
        try:
            _refuse_unnamed(series)
            refuse_face(series, cohort, local_use=local_use)
            kept.append(_prepared(series, pseudonym, cohort))
            faces |= shows_face(series, cohort)
        except SeriesError as error:
            why = (error.rule, error.got, error.remedy)
            refused.append(Refusal(pseudonym, series.study, series.series, *why))
    if refused and (not kept or cohort.image.refusing is Refusing.COHORT):
        raise TableError(f"the images of {cohort.name}", [refusal.problem() for refusal in refused])
    return _loaded(kept, refused, cohort, local_only=faces, opted_out=gone)


def _without(found: list[Series], opted_out: OptedOut | None) -> tuple[list[Series], int]:
    """Series of those who have not opted out, and how many patients have."""
    named = sorted({series.patient for series in found if series.patient})
    if opted_out is None or not named:
        return found, 0
    gone = set(compress(named, opted_out(pl.Series(named, dtype=pl.String))))
    return [series for series in found if series.patient not in gone], len(gone)


def _found(path: Path, cohort: ImageCohort) -> Iterable[Series]:
    """Series that the module named as the layout finds; its file format's library is loaded only now."""
    try:
        return import_module(f"use_cases.images.{cohort.layout.value}").find(path, cohort)
    except ModuleNotFoundError as error:
        raise ParameterError(
            f"{cohort.name} must have its reader, got no {error.name}; install the extra images"
        ) from None


def _pseudonyms(found: list[Series], key: bytes) -> list[str]:
    """Of the patient of each series, in order; all at once, since a call costs more than a name."""
    named = [series.patient for series in found if series.patient]
    pseudonyms = dict(zip(named, pseudonymise(pl.Series(named, dtype=pl.String), key), strict=True))
    return [pseudonyms.get(series.patient, UNNAMED) for series in found]


def _refuse_unnamed(series: Series) -> None:
    if not series.patient:
        series.read()  # a damaged file is refused for its damage
        raise SeriesError("name its patient", "none", "export it with its patient's number")


def _prepared(series: Series, pseudonym: str, cohort: ImageCohort) -> _Kept:
    volume = series.read()
    _refuse_misfit(volume, cohort)
    places = chosen_slices(volume, cohort.slices)
    schema, plane = cohort.image, volume.spacing[1:]
    pixels = scaled(volume.pixels, schema.unit)[places]
    masks = None
    if schema.mask and volume.masks is not None:
        masks = resampled_masks(volume.masks[places], plane, schema, is_scaled=volume.scaled)
    return _Kept(
        rows=_rows(series, pseudonym, volume, places),
        pixels=resampled(pixels, plane, schema, is_scaled=volume.scaled),
        masks=masks,
    )


def _refuse_misfit(volume: Volume, cohort: ImageCohort) -> None:
    schema = cohort.image
    if len(volume.pixels) < schema.minimum_slices:
        rule = f"have at least {schema.minimum_slices} slices"
        raise SeriesError(rule, f"{len(volume.pixels)}", "export the whole series or lower minimum_slices")
    if not np.isfinite(volume.pixels).all():
        raise SeriesError("have finite intensities", "some that are not", "export it again")
    if schema.spacing is not None and not volume.scaled:
        raise SeriesError("have a known pixel spacing", "a picture without", "drop spacing from the codebook")
    if schema.mask and volume.masks is None:
        raise SeriesError("have a mask", "none", "add the mask file, an empty one if nothing is on it")
    if schema.mask and volume.masks is not None and not np.isin(volume.masks, list(schema.mask)).all():
        raise SeriesError(f"have mask values {sorted(schema.mask)}", "others", "name their meaning in the codebook")


def _rows(series: Series, pseudonym: str, volume: Volume, places: np.ndarray) -> list[dict[str, Any]]:
    """Values as text: a codebook, not a file's type, says what they mean."""
    index = {PATIENT: pseudonym, STUDY: series.study, SERIES: series.series}
    return [{**index, SLICE: int(z), **{k: _text(v, z) for k, v in volume.values.items()}} for z in places]


def _text(value: Any, place: int) -> str | None:
    """One value for all slices, or that of the slice."""
    one = value[place] if isinstance(value, list) else value
    return None if one is None else str(one)


def _loaded(
    kept: list[_Kept], refused: list[Refusal], cohort: ImageCohort, *, local_only: bool, opted_out: int
) -> Loaded:
    if not kept:
        problem = Problem("the folder", "hold series of the cohort", "none", "check the path and series_description")
        raise TableError(f"the images of {cohort.name}", [problem])
    lines = [row for one in kept for row in one.rows]
    names = {name: pl.String for row in lines for name in row} | INDEX
    rows = pl.DataFrame(lines, schema=names)
    rows = rows.select(list(INDEX)).hstack(cohort.harmonise(rows.drop(list(INDEX))))
    masks = np.concatenate([one.masks for one in kept if one.masks is not None]) if cohort.image.mask else None
    table = ImageTable(
        rows=rows, pixels=np.concatenate([one.pixels for one in kept]), unit=cohort.image.unit,
        spacing=cohort.image.spacing, masks=masks, local_only=local_only,
    )  # fmt: skip
    table = validate_images(table, cohort.image, source=f"the images of {cohort.name}")
    # sorted by pseudonym, since the order of files could tell who is who
    table = table.select(table.rows.select(pl.arg_sort_by(list(INDEX))).to_series().to_numpy())
    counts = (len(kept), len(table), len(table.patients), opted_out)
    report = LoadReport(*counts, tuple(refused), _empty_levels(table, cohort))
    return Loaded(table, report)


def _empty_levels(table: ImageTable, cohort: ImageCohort) -> tuple[str, ...]:
    empty = []
    for name in cohort.image.labels:
        present = set(table.rows[name].cast(pl.String).unique())
        empty += [f"{name}: {level}" for level in cohort.image.table[name].levels if level not in present]
    if empty and cohort.image.refusing is Refusing.COHORT:
        problem = Problem("the labels", "have images at every level", ", ".join(empty), "add images or drop the level")
        raise TableError(f"the images of {cohort.name}", [problem])
    return tuple(empty)
