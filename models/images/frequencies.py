"""Images as cosine coefficients in the order of their spatial frequency, and back.

Belongs here: the orthonormal DCT-II, its order and its bands, all of which are public. Does not belong here: statistics.

References
----------
Ahmed, Natarajan and Rao (1974), Discrete cosine transform, IEEE Transactions on Computers C-23:90.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

Floats = NDArray[np.floating]


class Frequencies:
    """The cosine transform of images of one size.

    Parameters
    ----------
    size : (int, int)

    Attributes
    ----------
    band : numpy.ndarray of int, [h * w]
        Ring of frequency of each coefficient, rising: half waves over the shorter side, cut at its length.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        rows, columns = np.meshgrid(*(np.arange(length) / length for length in size), indexing="ij")
        radius = np.hypot(rows, columns).ravel() * min(size)
        self._order = np.argsort(radius, kind="stable")
        self._back = np.argsort(self._order)
        self.radius = radius[self._order]
        self.band = np.minimum(self.radius.astype(np.int64), min(size) - 1)

    def __len__(self) -> int:
        return self.size[0] * self.size[1]

    def forward(self, images: Floats, most: int | None = None) -> Floats:
        """Coefficients [n, most], lowest frequency first; all of them by default."""
        flat = np.asarray(dctn(images, axes=(1, 2), norm="ortho")).reshape(len(images), -1)
        return flat[:, self._order[:most]]

    def backward(self, coefficients: Floats) -> Floats:
        """Images [n, h, w] of all or of the lowest coefficients."""
        full = np.zeros((len(coefficients), len(self)), coefficients.dtype)
        full[:, self._order[: coefficients.shape[1]]] = coefficients
        return np.asarray(idctn(full.reshape(-1, *self.size), axes=(1, 2), norm="ortho"))
