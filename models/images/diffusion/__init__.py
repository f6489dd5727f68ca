"""Diffusion models of images, with and without differential privacy.

Belongs here: network, training, accounting and drawing. Does not belong here: families that release a statistic and
need no training (``models.images``), or judging images (``metrics``).
"""

from models.images.diffusion.settings import CPU, GPU, Settings
from models.images.diffusion.synthesizer import DiffusionSynthesizer

__all__ = ["CPU", "GPU", "DiffusionSynthesizer", "Settings"]
