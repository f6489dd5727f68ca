"""Sizes of the network and of its training, all public: none may be chosen by looking at the patients.

Belongs here: the frozen settings, what fits a CPU and a GPU, and the choice of device. Does not belong here: noise and
budget (``plan``).
"""

from dataclasses import dataclass

import torch

from records.errors import ParameterError


@dataclass(frozen=True)
class Settings:
    """How large the network is and how long it learns.

    Parameters
    ----------
    width : int
        Channels at full resolution, a multiple of 8; twice as many at half resolution.
    grid : int
        Most points a side on which the network works: larger images are folded into channels, 2 x 2 pixels at a time.
    steps : int
        Steps of DP-SGD.
    sampling_rate : float
        Chance of a patient to be in a step, up to 0.5.
    draws : int
        Slices and noise levels of a patient in a step, whose gradients are averaged before clipping.
    clipping_norm : float
        Most that one patient's averaged gradient may weigh.
    central_images : int
        Noisy mean images per class from which learning starts; 0 for none.
    warm_up_steps : int
        Steps on these, which cost no privacy.
    plain_steps : int
        Most steps without differential privacy.
    batch_size : int
        Images in a step that costs no privacy.
    learning_rate : float
    at_once : int
        Patients whose gradients are held in memory together.
    """

    width: int = 16
    grid: int = 16
    steps: int = 60
    sampling_rate: float = 0.1
    draws: int = 2
    clipping_norm: float = 0.5
    central_images: int = 5
    warm_up_steps: int = 300
    plain_steps: int = 1500
    batch_size: int = 64
    learning_rate: float = 2e-3
    at_once: int = 32

    def __post_init__(self) -> None:
        counts = {
            "width": self.width, "grid": self.grid, "steps": self.steps, "draws": self.draws,
            "plain_steps": self.plain_steps, "batch_size": self.batch_size, "at_once": self.at_once,
        }  # fmt: skip
        if wrong := [name for name, count in counts.items() if count < 1]:
            raise ParameterError(
                f"{', '.join(wrong)} must be positive, got {[counts[n] for n in wrong]}; keep defaults"
            )
        if self.width % 8 or self.grid < 4:
            raise ParameterError(
                f"width must be a multiple of 8 and grid at least 4, got {self.width} and {self.grid}; keep defaults"
            )
        if not 0 < self.sampling_rate <= 0.5:
            raise ParameterError(
                f"sampling_rate must lie in 0 to 0.5, got {self.sampling_rate}; choose for instance 0.1"
            )
        if not (0 < self.learning_rate < 1 and 0 < self.clipping_norm < float("inf")):
            raise ParameterError(
                f"learning_rate must lie between 0 and 1 and clipping_norm above 0, got {self.learning_rate} and "
                f"{self.clipping_norm}; keep defaults"
            )
        if min(self.central_images, self.warm_up_steps) < 0:
            raise ParameterError(
                f"central_images and warm_up_steps must not be negative, got {self.central_images} and "
                f"{self.warm_up_steps}; choose 0 for none"
            )


CPU = Settings()
GPU = Settings(
    width=96, grid=32, steps=1500, sampling_rate=0.2, draws=16, central_images=20, warm_up_steps=2000,
    plain_steps=50_000, batch_size=256, learning_rate=1e-3, at_once=128,
)  # fmt: skip


def device_for(name: str | None) -> torch.device:
    """The named device, or the fastest there is: CUDA, Apple's MPS, or the CPU.

    Raises
    ------
    ParameterError
        The machine has no such device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    chosen = name or next(kind for kind, present in there.items() if present)
    if not there.get(chosen.split(":")[0], False):
        have = ", ".join(kind for kind, present in there.items() if present)
        raise ParameterError(f"device must be one of {have}, got {chosen}; choose one of these")
    return torch.device(chosen)
