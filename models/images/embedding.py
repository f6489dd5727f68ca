"""A generator trained on noisy mean embeddings of the classes, released once.

Belongs here: the release and the training, which costs no privacy. Does not belong here: the features (``features``).

The means of first and second moments of fixed features are released for each class; a small network learns to draw images
whose features have these means. The features are random, since features learnt on other people's images would need a
download and a licence.

References
----------
Harder, Adamczewski and Park (2021), DP-MERF, AISTATS. Harder et al. (2023), Pre-trained perceptual features improve
differentially private image generation (DP-MEPF), TMLR: first and second moments of features.
"""

import numpy as np
import torch
from torch import Tensor, nn

from models.images.features import RandomFeatures
from models.images.frequencies import Frequencies
from models.images.noisy_sums import Floats, NoisySums
from models.images.seen import Drawn, Seen
from records.images import ImageSchema

COUNT_PART = 0.02
LATENT, HIDDEN, BATCH, RATE = 64, 256, 32, 2e-3
DETAIL = 144


class EmbeddedImages:
    """Images of a generator that meets noisy mean embeddings; of a row's columns they follow the label only.

    Parameters
    ----------
    steps : int
        Of training.
    """

    needs_images = True
    portion = 1000
    warning_ = ""

    def __init__(self, steps: int = 400) -> None:
        self.steps = steps

    def must_suit(self, schema: ImageSchema) -> None:
        """Any codebook will do."""

    def learn(self, seen: Seen, sums: NoisySums, rho: float | None, rng: np.random.Generator) -> None:
        """Release the embeddings for ``rho``, then train; ``None`` asks for exact ones."""
        features = RandomFeatures(seen.schema.size)
        parts = np.sqrt([COUNT_PART, 1 - COUNT_PART])

        def vectors(places: np.ndarray) -> Floats:
            with torch.no_grad():
                found = features(torch.tensor(seen.pixels[places])).double().numpy()
            return np.concatenate([parts[0] * np.ones((len(found), 1)), parts[1] * found], axis=1)

        total = sums(
            vectors, 1 + features.width, norm=1.0, rho=rho or 1.0, purpose="mean embedding of each class",
            cells=seen.classes, cell_count=seen.class_count,
        )  # fmt: skip
        counts = np.maximum(total[:, :1] / parts[0], 1.0)
        self._masked = bool(seen.schema.mask)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            self._generator = _Generator(seen.schema.size, seen.class_count)
            self._train(features, torch.tensor(total[:, 1:] / parts[1] / counts, dtype=torch.float32))

    def draw(self, classes: np.ndarray, columns: Floats, rng: np.random.Generator) -> Drawn:
        """One image for each class; masks are empty, since features hold none."""
        latent = torch.tensor(rng.normal(size=(len(classes), LATENT)), dtype=torch.float32)
        with torch.no_grad():
            pixels = self._generator(latent, torch.tensor(classes)).numpy()
        return Drawn(pixels, np.zeros(pixels.shape, np.uint8) if self._masked else None)

    def _train(self, features: RandomFeatures, wanted: Tensor) -> None:
        optimiser = torch.optim.Adam(self._generator.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)
        classes = torch.arange(len(wanted)).repeat_interleave(BATCH)
        for _ in range(self.steps):
            images = self._generator(torch.randn(len(classes), LATENT), classes)
            means = features(images).reshape(len(wanted), BATCH, -1).mean(1)
            loss = (means - wanted).square().sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


class _Generator(nn.Module):
    """Latent numbers and a class in, cosine coefficients and so an image out."""

    cosines: Tensor

    def __init__(self, size: tuple[int, int], classes: int) -> None:
        super().__init__()
        waves = Frequencies(size)
        most = min(DETAIL, len(waves) // 2)
        scale = (1 + waves.radius[:most]) ** -1.0 * np.sqrt(len(waves)) / 2
        basis = waves.backward(np.eye(most)) * scale[:, None, None]
        self.register_buffer("cosines", torch.tensor(basis, dtype=torch.float32).reshape(most, -1))
        self.size = size
        self.classes = nn.Embedding(classes, HIDDEN)
        self.enter = nn.Linear(LATENT, HIDDEN)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, most))
        self.straight = nn.Linear(LATENT, most)

    def forward(self, latent: Tensor, classes: Tensor) -> Tensor:
        """Images [n, h, w] from -1 to 1."""
        coefficients = self.rest(self.enter(latent) + self.classes(classes)) + self.straight(latent)
        return torch.tanh(coefficients @ self.cosines).reshape(-1, *self.size)
