"""An unfinished training on disk, from which it goes on as if nothing had happened.

Belongs here: the file and the refusal to go on with something else. Does not belong here: what is in it (``run``).

The file holds the state of the noise and a digest of the patients' images. Who has it can take the noise away: it
stays beside the data, readable by its owner only, and is deleted when the training ends.
"""

import hashlib
import io
import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from models.images.diffusion.run import Run
from models.images.diffusion.settings import Settings
from records.errors import ParameterError
from records.files import parquet_bytes, read_whole, write_atomically
from records.images import ImageSchema, ImageTable

_DAMAGE = (RuntimeError, EOFError, KeyError, ValueError, AttributeError, pickle.UnpicklingError)


class Checkpoint:
    """A file for one training, known by the digest of all that it depends on.

    Parameters
    ----------
    path : pathlib.Path or None
        None keeps nothing.
    every : int
        Steps between two writings.
    digest : str
    """

    def __init__(self, path: Path | None, every: int, digest: str) -> None:
        self.path, self.every, self.digest = path, every, digest
        self.calls = 0

    def resume(self, run: Run) -> bool:
        """Load the state of a former run into ``run``; False where there is none.

        Raises
        ------
        ParameterError
            The file belongs to other images, settings or another budget.
        StorageError
            The file is damaged.
        """
        if self.path is None or not self.path.exists():
            return False
        digest, state = read_whole(self.path, _opened, "checkpoint", _DAMAGE)[0]
        if digest != self.digest:
            raise ParameterError(
                f"{self.path.name} must be of the same images, settings, budget and device, got another training's; "
                "delete it, or give another path"
            )
        run.load(state)
        return True

    def keep(self, run: Run) -> None:
        """Write the state whenever its turn has come."""
        self.calls += 1
        if self.path is not None and self.calls % self.every == 0:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write the state now, whole or not at all."""
        if self.path is None:
            return
        buffer = io.BytesIO()
        torch.save({"digest": self.digest, "state": run.state()}, buffer)
        write_atomically(self.path, buffer.getvalue())

    def finish(self) -> None:
        """Delete the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def digest_of(
    table: ImageTable, schema: ImageSchema, settings: Settings, budget: float | None, delta: float, device: str
) -> str:  # fmt: skip
    """Hexadecimal sha256 of all that decides how a training goes on."""
    asked = {
        "schema": schema.model_dump(mode="json"), "settings": asdict(settings), "budget": budget, "delta": delta,
        "device": device, "size": table.size, "torch": torch.__version__,
    }  # fmt: skip
    found = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for part in (
        parquet_bytes(table.rows),
        table.pixels.tobytes(),
        b"" if table.masks is None else table.masks.tobytes(),
    ):
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


def _opened(data: bytes) -> tuple[str, dict[str, Any]]:
    held = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    return held["digest"], held["state"]
