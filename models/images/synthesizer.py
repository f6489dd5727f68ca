"""The synthesizer that ties rows and images together: one budget, one row of columns per patient, images given rows.

Belongs here: checks, how the budget is shared, sampling under conditions. Does not belong here: how images are learnt
(a family: ``gaussian``, ``embedding``, ``evolution``, ``baselines``) or how columns are (``models.graphical_synthesizer``).

A synthetic patient's columns are drawn first and its image is drawn given them, so that image and record agree.
"""

import math
from typing import Protocol, Self

import numpy as np
import polars as pl

from models.graphical_synthesizer import GraphicalSynthesizer
from models.images.noisy_sums import NoisySums
from models.images.seen import UNKNOWN, Drawn, Seen, classes, columns, in_window, seen
from records.accounting import rho_to_epsilon
from records.errors import ParameterError
from records.images import INDEX, PATIENT, SERIES, SLICE, STUDY, ImageSchema, ImageTable, PrivacyUnit, validate_images
from records.privacy import ADD_REMOVE_PATIENT, PrivacySpend
from records.schema import Kind, Outcome, Schema

FEWEST = 10
LABEL_SHARE, COLUMNS_SHARE = 0.05, 0.1
FEW = 60.0  # patients of a class, per patient that the noise hides


class Family(Protocol):
    """A way of learning images and drawing them; what it learnt is post-processed noisy sums."""

    needs_images: bool
    portion: int  # most images that are drawn at once

    def must_suit(self, schema: ImageSchema) -> None:
        """Refuse a codebook whose images this way cannot learn."""
        ...

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Take noisy sums for ``rho`` in total; ``None`` asks for exact ones."""
        ...

    def draw(self, classes: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> Drawn:
        """One image for each class [n] and row of columns [n, q], see ``Seen``."""
        ...

    @property
    def warning_(self) -> str:
        """What is amiss with what was learnt; empty if nothing."""
        ...


class StatisticSynthesizer:
    """An image synthesizer that releases statistics once and draws from them for free.

    Parameters
    ----------
    family : Family
    delta : float
        For the epsilon that ``privacy_`` states.
    secure : bool
        Draw noise from the operating system, as every release must; ``False`` draws it from ``rng``, for tests and
        benchmarks only.

    Attributes
    ----------
    privacy_ : PrivacySpend
    schema_ : ImageSchema
    total_ : int
        Noisy number of patients (or of images, where no patients are known).
    rows_ : GraphicalSynthesizer
        Model of a patient's label and clinical columns.
    warning_ : str
        What noise has drowned, in words; empty if nothing.
    """

    def __init__(self, family: Family, *, delta: float = 1e-5, secure: bool = True) -> None:
        self.family = family
        self.delta = delta
        self.secure = secure

    def fit(self, table: ImageTable, schema: ImageSchema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Learn from ``table``; ``budget`` is zCDP rho, ``None`` asks for exact sums.

        Raises
        ------
        ParameterError
            The budget is not positive, there are too few patients, or a column is text or a date.
        TableError
            The images do not fit the codebook (size, window, masks), or all are of one class.
        """
        rho = None if budget is None else _positive(budget)
        table, units = self.must_fit(table, schema)
        self.schema_, self._local_only = schema, table.local_only
        share = self._share_of_rows(schema)
        self.rows_ = self._unfitted_rows(schema)
        self.rows_.fit(
            _one_row_each(table, units, rng), _row_schema(schema), budget=None if rho is None else share * rho, rng=rng
        )  # fmt: skip
        sums = NoisySums(units, seeded=None if self.secure else rng, exact=rho is None)
        self.family.learn(seen(table, schema), sums, None if rho is None else (1 - share) * rho, rng)
        self.total_ = self.rows_.total_
        self.privacy_ = self._spent(sums)
        self.warning_ = " ".join(filter(None, (self._warning(rho), self.family.warning_)))
        return self

    def must_fit(self, table: ImageTable, schema: ImageSchema) -> tuple[ImageTable, np.ndarray]:
        """The table as ``fit`` takes it, and the unit of privacy of each slice; nothing is measured.

        Raises
        ------
        ParameterError, TableError
            As ``fit``, but for the budget.
        """
        table = validate_images(table, schema, source="the images to learn from")
        units = np.arange(len(table)) if schema.privacy_unit is PrivacyUnit.IMAGE else table.groups()
        _refuse_few(units)
        _row_schema(schema)
        self.family.must_suit(schema)
        return table, units

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> ImageTable:
        """Draw synthetic patients of one slice each; see ``records.protocols.ImageSynthesizer``.

        Raises
        ------
        ParameterError
            Nothing is asked for, or ``given`` does not fit.
        """
        if n is not None and n < 1:
            raise ParameterError(f"n must be at least 1, got {n}; ask for more images")
        rows = self.rows_.sample(n, rng=rng, given=given)
        level, numbers = _known_classes(classes(rows, self.schema_), rng), columns(rows, self.schema_)
        portions = [slice(start, start + self.family.portion) for start in range(0, rows.height, self.family.portion)]
        drawn = [self.family.draw(level[part], numbers[part], rng) for part in portions]
        masks = [one.masks for one in drawn if one.masks is not None]
        return ImageTable(
            rows=_named(rows), pixels=np.concatenate([in_window(one.pixels, self.schema_) for one in drawn]),
            unit=self.schema_.unit, spacing=self.schema_.spacing,
            masks=np.concatenate(masks) if masks and self.schema_.mask else None,
            phantom=self.schema_.phantom, local_only=self._local_only,
        )  # fmt: skip

    def _unfitted_rows(self, schema: ImageSchema) -> GraphicalSynthesizer:
        if len(schema.table.columns) > 1:
            return GraphicalSynthesizer(delta=self.delta, secure=self.secure)
        alone = [[schema.label.name]]
        return GraphicalSynthesizer(selection="declared", marginals=alone, delta=self.delta, secure=self.secure)

    def _share_of_rows(self, schema: ImageSchema) -> float:
        if not self.family.needs_images:
            return 1.0
        return LABEL_SHARE if len(schema.table.columns) == 1 else COLUMNS_SHARE

    def _spent(self, sums: NoisySums) -> PrivacySpend:
        if self.rows_.privacy_.rho is None:
            return PrivacySpend()
        mechanisms = (*self.rows_.privacy_.mechanisms, *sums.spent)
        rho = self.rows_.privacy_.rho + math.fsum(one.rho for one in sums.spent)
        neighbouring = ADD_REMOVE_PATIENT
        if self.schema_.privacy_unit is PrivacyUnit.IMAGE:
            neighbouring = "add or remove one image"
        return PrivacySpend(
            mechanisms, rho=rho, epsilon=rho_to_epsilon(rho, self.delta), delta=self.delta, neighbouring=neighbouring,
            secure=self.secure,
        )  # fmt: skip

    def _warning(self, rho: float | None) -> str:
        """Classes that noise drowns, from the noisy shares of the labels."""
        if rho is None or not self.family.needs_images:
            return ""
        hidden = 1 / math.sqrt(2 * rho)
        drawn = self.rows_.sample(10_000, rng=np.random.default_rng(0))[self.schema_.label.name]
        expected = {
            level: self.total_ * int((drawn == level).sum()) / len(drawn) for level in self.schema_.label.levels
        }
        few = [level for level, count in expected.items() if count < FEW * hidden]
        if not few:
            return ""
        return (
            f"images of the class {', '.join(few)} must come from at least {math.ceil(FEW * hidden)} patients at this "
            "epsilon, got about "
            f"{', '.join(str(round(expected[level])) for level in few)}; noise weighs as much as the patients: raise "
            "epsilon, merge classes or add patients"
        )


def _known_classes(level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where the label is not known, that of another row: somebody's image it is."""
    unknown = level == UNKNOWN
    if unknown.all():
        return np.zeros_like(level)
    return np.where(unknown, rng.choice(level[~unknown], len(level)), level)


def _positive(budget: float) -> float:
    if not 0 < budget < float("inf"):
        raise ParameterError(f"budget must be positive, got {budget}; choose an epsilon > 0")
    return budget


def _refuse_few(units: np.ndarray) -> None:
    if len(np.unique(units)) < FEWEST:
        raise ParameterError(f"images must come from at least {FEWEST} patients, got fewer; add patients")


def _row_schema(schema: ImageSchema) -> Schema:
    """The table's schema with the label as its task, so that every column is learnt together with it."""
    if wrong := [c.name for c in schema.table.columns if c.kind in (Kind.TEXT, Kind.DATE)]:
        raise ParameterError(f"{schema.name} must have categories and numbers only, got {', '.join(wrong)}; drop them")
    label = schema.label
    task = Outcome(name=label.name, label=label.label, column=label.name, positive=tuple(label.levels)[1:])
    return schema.table.model_copy(update={"outcomes": (task,)})


def _one_row_each(table: ImageTable, units: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """The columns of one slice of each patient, taken by chance."""
    order = rng.permutation(len(units))
    first = order[np.unique(units[order], return_index=True)[1]]
    return table.rows.drop(list(INDEX))[first.tolist()]


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    names = [f"synthetic-{i:06d}" for i in range(rows.height)]
    index = pl.DataFrame({PATIENT: names, STUDY: 1, SERIES: 1, SLICE: 0}, schema=INDEX)
    return index.hstack(rows)
