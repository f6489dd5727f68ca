"""An image table as tensors, patient by patient, and drawn tensors as an image table.

Belongs here: scaling by the codebook's window, masks as channels, columns as conditions. Does not belong here: anything
learnt.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch import Tensor

from records.discretisation import discrete_columns, encode_column, level_count
from records.images import INDEX, PATIENT, SERIES, SLICE, STUDY, ImageSchema, ImageTable, PrivacyUnit

MASK_FROM = 0.5
HIDDEN_SHARE = 0.1


@dataclass(frozen=True)
class Records:
    """Slices in the order of their patients (or units of privacy).

    Parameters
    ----------
    images : torch.Tensor of float, [n, c, h, w]
        Grey from -1 to 1, then one channel of 0 and 1 for each mask value above 0.
    conditions : torch.Tensor of float, [n, k]
        Levels of all columns as indicators.
    widths : tuple of int
        Levels of each column; the main label first.
    first, slices : torch.Tensor of int64, [patients]
        Place of a patient's first slice, and how many there are.
    """

    images: Tensor
    conditions: Tensor
    widths: tuple[int, ...]
    first: Tensor
    slices: Tensor

    def __len__(self) -> int:
        return len(self.first)

    @property
    def classes(self) -> Tensor:
        """Level of the main label of each slice, [n]."""
        return self.conditions[:, : self.widths[0]].argmax(dim=1)

    def to(self, device: torch.device) -> "Records":
        """The same on a device."""
        parts = (self.images, self.conditions, self.first, self.slices)
        images, conditions, first, slices = (part.to(device) for part in parts)
        return Records(images, conditions, self.widths, first, slices)

    def of(self, patients: Tensor) -> Tensor:
        """Places of all slices of some patients."""
        owners = torch.arange(len(self), device=self.first.device).repeat_interleave(self.slices)
        return torch.isin(owners, patients).nonzero()[:, 0]

    def some_slices(self, patients: Tensor, count: int, draws: torch.Generator) -> Tensor:
        """``count`` places of each patient's slices, spread over all of them, [patients, count]."""
        chance = torch.rand(len(patients), count, generator=draws, device=draws.device)
        share = (torch.arange(count, device=draws.device) + chance) / count
        slices = self.slices[patients][:, None]
        return self.first[patients][:, None] + (share * slices).long().clamp(max=slices - 1)


def encoded(table: ImageTable, schema: ImageSchema) -> Records:
    """The table as records; the privacy unit is the schema's."""
    owners = table.groups() if schema.privacy_unit is PrivacyUnit.PATIENT else np.arange(len(table))
    order = np.argsort(owners, kind="stable")
    slices = np.bincount(owners)
    low, high = schema.window
    grey = 2 * (table.pixels[order].astype(np.float32) - low) / (high - low) - 1
    channels = [grey.clip(-1, 1)]
    if table.masks is not None:
        channels += [(table.masks[order] == value).astype(np.float32) for value in mask_values(schema)]
    conditions, widths = indicators(table.rows[order.tolist()], schema)
    return Records(
        torch.from_numpy(np.stack(channels, axis=1)), conditions, widths,
        torch.from_numpy(np.cumsum(slices) - slices), torch.from_numpy(slices),
    )  # fmt: skip


def indicators(rows: pl.DataFrame, schema: ImageSchema) -> tuple[Tensor, tuple[int, ...]]:
    """Levels of all columns as indicators, [n, k], and the number of levels of each; labels come first."""
    names = [*schema.labels, *(c.name for c in discrete_columns(schema.table) if c.name not in schema.labels)]
    columns = [schema.table[name] for name in names]
    parts = [np.eye(level_count(c), dtype=np.float32)[encode_column(rows[c.name], c)] for c in columns]
    return torch.from_numpy(np.concatenate(parts, axis=1)), tuple(level_count(c) for c in columns)


def partly_hidden(conditions: Tensor, widths: tuple[int, ...], draws: torch.Generator) -> Tensor:
    """Conditions with a tenth of all columns, and all columns of a tenth of the rows, left out: zeros are unknown."""
    chance = torch.rand(len(conditions), len(widths) + 1, generator=draws, device=draws.device)
    shown = (chance[:, 1:] > HIDDEN_SHARE) & (chance[:, :1] > HIDDEN_SHARE)
    return conditions * shown.repeat_interleave(torch.tensor(widths, device=draws.device), dim=1)


def mask_values(schema: ImageSchema) -> list[int]:
    """Mask values above 0, in the order of their channels."""
    return sorted(value for value in schema.mask if value)


def image_table(images: Tensor, rows: pl.DataFrame, schema: ImageSchema, *, local_only: bool) -> ImageTable:
    """Drawn images with their rows, each a synthetic patient of its own.

    Parameters
    ----------
    images : torch.Tensor of float, [n, c, h, w]
    rows : polars.DataFrame, n rows
        The schema's columns.
    """
    values = images.cpu().numpy()
    low, high = schema.window
    grey = (values[:, 0].clip(-1, 1) + 1) / 2 * (high - low) + low
    masks = None
    if schema.mask:
        best, codes = values[:, 1:].argmax(axis=1), np.array(mask_values(schema), np.uint8)
        masks = np.where(values[:, 1:].max(axis=1) > MASK_FROM, codes[best], np.uint8(0)).astype(np.uint8)
    index = {
        PATIENT: [f"synthetic-{i:06d}" for i in range(len(values))], STUDY: [1] * len(values),
        SERIES: [1] * len(values), SLICE: [0] * len(values),
    }  # fmt: skip
    return ImageTable(
        rows=pl.DataFrame(index, schema=INDEX).hstack(rows), pixels=grey.clip(low, high).astype(np.float32),
        unit=schema.unit, spacing=schema.spacing, masks=masks, phantom=schema.phantom, local_only=local_only,
    )  # fmt: skip
