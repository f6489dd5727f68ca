"""A reader study as a folder: questions, pictures, codes of its readers, and what allows it.

Belongs here: making and reading the folder. Does not belong here: answers (``answers``) and the page (``page``).

The folder holds real images and the right answers: it stays where the real images may be, and its owner alone may read
it. Pictures bear random names and nothing else that could tell a real one from a synthetic one.
"""

import io
import secrets
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.reader_study.drawing import draw_pairs, draw_singles
from hub.reader_study.permission import Statement, on_this_machine_only, refuse_unstated
from records.errors import ParameterError, StorageError
from records.folders import whole_folder
from records.images import ImageSchema, ImageTable

FILE, PICTURES = "study.json", "pictures"
_CODE = 8
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that are taken for others


class Mode(StrEnum):
    """``pairs``: which of two is real? ``singles``: is this one real or synthetic?"""

    PAIRS = "pairs"
    SINGLES = "singles"


class Question(BaseModel):
    """Pictures from left to right, the right answer, and the label that the images share."""

    model_config = ConfigDict(frozen=True)
    pictures: tuple[str, ...]
    truth: str
    label: str


class Study(BaseModel):
    """A study as its file says it.

    Parameters
    ----------
    readers : mapping of str to str
        Code to name, such as ``reader 1``.
    organiser : str
        Code that opens the results.
    phantom : bool
        Whether the images called real are phantoms.
    """

    model_config = ConfigDict(frozen=True)
    id: str
    title: str
    mode: Mode
    phantom: bool
    local_only: bool
    permit: str | None
    valid_until: date | None
    seed: int
    readers: dict[str, str]
    organiser: str
    questions: tuple[Question, ...]

    @property
    def choices(self) -> tuple[str, str]:
        """The two possible answers."""
        return ("left", "right") if self.mode is Mode.PAIRS else ("real", "synthetic")


def create_study(
    folder: Path, real: ImageTable, synthetic: ImageTable, schema: ImageSchema, *,
    mode: Mode, questions: int, readers: int, seed: int, statement: Statement,
) -> Study:  # fmt: skip
    """Make a study's folder, whole or not at all.

    Parameters
    ----------
    real, synthetic : ImageTable
        In the form of ``schema``.
    questions, readers : int
        At least 1 each.
    seed : int
        Draws the questions; codes and names of pictures are random in any case.

    Raises
    ------
    ParameterError
        Nothing states that real images may be shown, the tables do not fit each other, or there are too few images.
    StorageError
        The folder has files already, or the disk refuses.
    """
    refuse_unstated(real, statement)
    _refuse_misfits(real, synthetic, schema, readers)
    draw = draw_pairs if mode is Mode.PAIRS else draw_singles
    drawn = draw(real, synthetic, schema.labels[0], questions, np.random.default_rng(seed))
    tables = {"real": real, "synthetic": synthetic}
    with whole_folder(folder) as target:
        (target / PICTURES).mkdir()
        made = []
        for one in drawn:
            names = tuple(f"{secrets.token_hex(12)}.png" for _ in one.images)
            for name, (kind, row) in zip(names, one.images, strict=True):
                (target / PICTURES / name).write_bytes(picture(tables[kind].pixels[row], schema))
            made.append(Question(pictures=names, truth=one.truth, label=one.label))
        codes = ["".join(secrets.choice(_LETTERS) for _ in range(_CODE)) for _ in range(readers + 1)]
        study = Study(
            id=secrets.token_hex(8), title=schema.title, mode=mode, phantom=real.phantom,
            local_only=on_this_machine_only(real, synthetic, statement), permit=statement.permit,
            valid_until=statement.valid_until, seed=seed, organiser=codes[0],
            readers={code: f"reader {i}" for i, code in enumerate(codes[1:], start=1)}, questions=tuple(made),
        )  # fmt: skip
        (target / FILE).write_text(study.model_dump_json(indent=2), "utf-8")
    return study


def read_study(folder: Path) -> Study:
    """Read a study's file.

    Raises
    ------
    StorageError
        There is none, or it is damaged.
    """
    try:
        return Study.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        raise StorageError(f"{folder.name} must be the folder of a reader study, got another; create one") from None


def picture(pixels: NDArray[Any], schema: ImageSchema) -> bytes:
    """One image as a grey PNG of 8 bits, the public window from black to white; the same for real and synthetic ones."""
    low, high = schema.window
    grey = np.rint((np.clip(pixels, low, high) - low) / (high - low) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "png")
    return buffer.getvalue()


def _refuse_misfits(real: ImageTable, synthetic: ImageTable, schema: ImageSchema, readers: int) -> None:
    if readers < 1:
        raise ParameterError(f"a study must have at least one reader, got {readers}; ask for more")
    for name, table in (("real", real), ("synthetic", synthetic)):
        if table.size != schema.size or table.unit != schema.unit or schema.labels[0] not in table.rows.columns:
            raise ParameterError(
                f"the {name} images must have the size, unit and label of {schema.name}, got others; "
                "load and draw both under one codebook"
            )
