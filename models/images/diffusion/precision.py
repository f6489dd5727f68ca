"""Half precision where a device computes faster in it.

Belongs here: the choice. Does not belong here: sums, norms and noise, which are single precision everywhere.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def mixed(device: torch.device) -> AbstractContextManager[Any]:
    """Convolutions in bfloat16 on CUDA devices that know it; elsewhere nothing changes."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()
