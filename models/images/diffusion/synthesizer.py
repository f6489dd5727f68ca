"""A diffusion model of image cohorts, with and without differential privacy.

Belongs here: the ``ImageSynthesizer`` that ties encoding, accounting, training and drawing together. Does not belong
here: each of these (``encoding``, ``plan``, ``central``, ``private``, ``plain``, ``denoising``).
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch

from models.graphical_synthesizer import GraphicalSynthesizer
from models.images.diffusion.central import central_images
from models.images.diffusion.checkpoint import Checkpoint, digest_of
from models.images.diffusion.denoising import drawn
from models.images.diffusion.encoding import Records, encoded, image_table, indicators, mask_values
from models.images.diffusion.network import Denoiser, started
from models.images.diffusion.plain import trained, warmed_up
from models.images.diffusion.plan import Plan, planned
from models.images.diffusion.precision import mixed
from models.images.diffusion.private import noisy_count, privately_trained
from models.images.diffusion.run import Run
from models.images.diffusion.settings import CPU, GPU, Settings, device_for
from models.training import Progress
from records.errors import ParameterError, PhaseIVError
from records.images import PATIENT, ImageSchema, ImageTable, PrivacyUnit, validate_images
from records.privacy import ADD_REMOVE_PATIENT, PrivacySpend
from records.schema import Kind, Outcome, Schema

FEWEST_PATIENTS = 50
IMAGES_AT_ONCE = 256


class DiffusionSynthesizer:
    """Images by taking noise away step by step, given labels and clinical columns (Ho, Jain and Abbeel, 2020).

    Under differential privacy learning starts from noisy mean images and goes on by DP-SGD on patients (Gong et al.,
    2025, DP-FETA). Rows come from a graphical model of one slice per patient, which pays from the same budget; images
    and masks follow their rows.

    Parameters
    ----------
    settings : Settings or None
        By default what fits the device.
    delta : float
        For the epsilon that ``privacy_`` states.
    device : str or None
        ``cuda``, ``mps`` or ``cpu``; by default the fastest there is.
    drawing_steps : int
        Evaluations of the network for a drawn image.
    guidance : float
        How far drawn images are pushed towards their condition, 0 for as learnt.
    checkpoint : pathlib.Path or None
        File in which an unfinished training is kept, and from which it goes on; see ``checkpoint``.
    keep_every : int
        Steps between two writings of it.
    progress : callable or None
        Told the share of the training done, 0 to 1.

    Attributes
    ----------
    network_ : Denoiser
    losses_ : tuple of float
        1 is what a network that knows nothing has. Without differential privacy of held-back patients, every 50 steps;
        with it of the noisy central images, the only ones that may be looked at.
    plan_ : Plan or None
        Noise of a private training.
    rows_ : GraphicalSynthesizer
        Model of labels and clinical columns.
    central_ : numpy.ndarray of float32, [m, c, h, w]
        Central images from -1 to 1; none without differential privacy.
    privacy_ : PrivacySpend
    total_ : int
        Number of patients (or of units of privacy), noisy under differential privacy.
    """

    def __init__(
        self, *, settings: Settings | None = None, delta: float = 1e-5, device: str | None = None,
        drawing_steps: int = 25, guidance: float = 0.0, checkpoint: Path | None = None, keep_every: int = 100,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.delta = delta
        self.device = device
        self.drawing_steps = drawing_steps
        self.guidance = guidance
        self.checkpoint = checkpoint
        self.keep_every = keep_every
        self.progress = progress

    def fit(self, table: ImageTable, schema: ImageSchema, *, budget: float | None, rng: np.random.Generator) -> Self:
        """Train on ``table``; a fit that fails leaves the synthesizer as it was.

        Parameters
        ----------
        budget : float or None
            Truncated zCDP rho; ``None`` for no differential privacy.
        rng : numpy.random.Generator
            All chances come from it, noise included: who knows its seed can take the noise away.

        Raises
        ------
        ParameterError
            A parameter or the budget is out of its range, a column is text or a date, or the checkpoint belongs to
            another training.
        TableError
            The images do not fit the codebook (size, window, masks), or all are of one class.
        PhaseIVError
            Training did not lower the loss, or there are fewer than 50 patients.
        StorageError
            The checkpoint cannot be read or written.
        """
        device = device_for(self.device)
        settings = self.settings or (CPU if device.type == "cpu" else GPU)
        self._refuse_out_of_range()
        table = validate_images(table, schema, source="the images to learn from")
        _row_schema(schema)
        plan = None if budget is None else planned(budget, self.delta, settings)
        records = encoded(table, schema).to(device)
        run = self._started(records, settings, rng)
        digest = digest_of(table, schema, settings, budget, self.delta, device.type)
        checkpoint = Checkpoint(self.checkpoint, self.keep_every, digest)
        checkpoint.resume(run)
        network = self._trained(run, records, settings, plan, checkpoint)
        rows, spend = self._rows(table, schema, plan, run)
        checkpoint.finish()
        self.schema_, self.plan_, self.rows_, self.privacy_ = schema, plan, rows, spend
        self.network_, self.losses_ = network.eval(), tuple(run.losses)
        self.total_, self.local_only_ = int(run.facts["patients"]), table.local_only
        self.central_ = run.facts.get("central", torch.zeros(0, *records.images.shape[1:])).numpy()
        return self

    def sample(
        self, n: int | None = None, *, rng: np.random.Generator, given: pl.DataFrame | None = None
    ) -> ImageTable:
        """Draw synthetic patients of one slice each; see ``records.protocols.ImageSynthesizer``."""
        if n is not None and n < 1:
            raise ParameterError(f"n must be at least 1, got {n}; ask for more images")
        many = given is not None and given.height > 1
        rows = self.rows_.sample(n if n is not None or many else self.total_, rng=rng, given=given)
        conditions = indicators(rows, self.schema_)[0]
        device = next(self.network_.parameters()).device
        draws = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
        with torch.no_grad(), mixed(device):
            images = [self._drawn(portion.to(device), draws) for portion in conditions.split(IMAGES_AT_ONCE)]
        return image_table(torch.cat(images), rows, self.schema_, local_only=self.local_only_)

    def _drawn(self, conditions: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        shape = (1 + len(mask_values(self.schema_)), *self.schema_.size)
        made = drawn(
            self.network_, conditions, shape, steps=self.drawing_steps, guidance=self.guidance, draws=draws
        )  # fmt: skip
        if not bool(torch.isfinite(made).all()):
            raise PhaseIVError("drawn images must be finite, got others; lower the learning rate and fit again")
        return made.cpu()

    def _started(self, records: Records, settings: Settings, rng: np.random.Generator) -> Run:
        weights, chances, split, rows = (int(seed) for seed in rng.integers(2**63, size=4))
        channels, height, width = records.images.shape[1:]
        network = Denoiser(
            channels, (height, width), sum(records.widths), width=settings.width, grid=settings.grid
        )  # fmt: skip
        network = started(network, torch.Generator().manual_seed(weights)).to(records.images.device)
        draws = torch.Generator(records.images.device).manual_seed(chances)
        run = Run(network, draws, settings.learning_rate)
        run.facts = {"split": split, "rows": rows}
        return run

    def _trained(
        self, run: Run, records: Records, settings: Settings, plan: Plan | None, checkpoint: Checkpoint
    ) -> Denoiser:  # fmt: skip
        def keep() -> None:
            checkpoint.keep(run)

        if plan is None:
            run.facts["patients"] = len(records)
            _refuse_few(len(records))
            return trained(run, records, settings, keep=keep, progress=self.progress)
        if "patients" not in run.facts:
            run.facts |= _first_looks(records, plan, run.draws)
            _refuse_few(run.facts["patients"])
            checkpoint.write(run)  # what was drawn must not be drawn again
        central, known = (run.facts[name].to(records.images.device) for name in ("central", "known"))
        warmed_up(run, central, known, records.widths, settings, keep=keep)
        return privately_trained(
            run, records, plan, settings, patients=run.facts["patients"], keep=keep, progress=self.progress
        )

    def _rows(
        self, table: ImageTable, schema: ImageSchema, plan: Plan | None, run: Run
    ) -> tuple[GraphicalSynthesizer, PrivacySpend]:  # fmt: skip
        """A model of the rows, learnt last, so that a run that goes on pays for it once."""
        rng = np.random.default_rng(run.facts["rows"])
        budget = None if plan is None else plan.table_rho
        selection, alone = ("auto", []) if len(schema.table.columns) > 1 else ("declared", [[schema.label.name]])
        rows = GraphicalSynthesizer(selection=selection, marginals=alone, delta=self.delta, secure=False)
        rows.fit(_one_slice_each(table, schema, rng), _row_schema(schema), budget=budget, rng=rng)
        if plan is None:
            return rows, PrivacySpend()
        unit = "add or remove one image" if schema.privacy_unit is PrivacyUnit.IMAGE else ADD_REMOVE_PATIENT
        return rows, plan.spend(rows.privacy_, unit)

    def _refuse_out_of_range(self) -> None:
        if min(self.drawing_steps, self.keep_every) < 1 or not 0 <= self.guidance < float("inf"):
            raise ParameterError(
                f"drawing_steps and keep_every must be positive and guidance not negative, got {self.drawing_steps}, "
                f"{self.keep_every} and {self.guidance}; keep the defaults"
            )


def _first_looks(records: Records, plan: Plan, draws: torch.Generator) -> dict[str, Any]:
    """Number of patients and central images, noisy."""
    patients = noisy_count(records, plan, draws)
    central, known = records.images[:0], records.conditions[:0]
    if plan.central_images and patients >= FEWEST_PATIENTS:
        central, known = central_images(records, plan, patients=patients, draws=draws)
    return {"patients": patients, "central": central.cpu(), "known": known.cpu()}


def _one_slice_each(table: ImageTable, schema: ImageSchema, rng: np.random.Generator) -> pl.DataFrame:
    """The columns of one slice of each unit of privacy, by chance."""
    rows = table.rows
    if schema.privacy_unit is PrivacyUnit.PATIENT:
        shuffled = rows[rng.permutation(rows.height).tolist()]
        rows = shuffled.unique(PATIENT, keep="first", maintain_order=True)
    return rows.select(schema.table.names)


def _row_schema(schema: ImageSchema) -> Schema:
    """The table's schema with the main label as its task, so that every column is learnt together with it."""
    if wrong := [c.name for c in schema.table.columns if c.kind in (Kind.TEXT, Kind.DATE)]:
        raise ParameterError(f"{schema.name} must have categories and numbers only, got {', '.join(wrong)}; drop them")
    label = schema.label
    task = Outcome(name=label.name, label=label.label, column=label.name, positive=tuple(label.levels)[1:])
    return schema.table.model_copy(update={"outcomes": (task,)})


def _refuse_few(patients: int) -> None:
    if patients < FEWEST_PATIENTS:
        raise PhaseIVError(
            f"the number of patients must be at least {FEWEST_PATIENTS}, got {patients}; add patients, or raise epsilon"
        )
