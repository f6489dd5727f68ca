"""The downstream classifiers of images, fixed beforehand: a small convolutional network and a logistic regression.

Belongs here: their training on one set of images and their scores for others. Does not belong here: which images
(``train_test``) or what is reported.

Neither is tuned and neither sees the test images. The network is trained for a fixed number of steps, so that its time
depends neither on the number of images nor on who made them; images larger than 64 pixels are averaged. Small shifts are
the only augmentation: a mirrored chest has its heart on the wrong side.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from metrics.images.intensities import Pixels, pooled
from metrics.images.labels import Codes
from metrics.images.one_thread import one_thread

if TYPE_CHECKING:
    from torch import Tensor, nn

Classifier = Callable[[Pixels, Codes, Pixels, int, int], np.ndarray]
STEPS, BATCH, RATE, SHIFT = 200, 64, 3e-3, 2
MOST_PIXELS, LOGISTIC_PIXELS = 64, 16
CHANNELS = (8, 16, 32)


def convolutional(train: Pixels, codes: Codes, test: Pixels, classes: int, seed: int) -> np.ndarray:
    """Class probabilities by a network of three convolutions.

    Parameters
    ----------
    train, test : numpy.ndarray of float32, [n, h, w]
        In 0..1.
    codes : numpy.ndarray of int, [n]
        Class of each training image, 0 to ``classes - 1``.
    seed : int
        Of weights, batches and shifts.

    Returns
    -------
    numpy.ndarray of float, shape (test images, classes)
    """
    import torch
    from torch.nn import functional

    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        seen, unseen = _standardised(train, test)
        network, target = _network(classes), torch.from_numpy(codes)
        optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for _ in range(STEPS):
            chosen = torch.randint(len(seen), (BATCH,))
            loss = functional.cross_entropy(network(_shifted(seen[chosen])), target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        with torch.inference_mode():
            network.eval()
            return torch.cat([network(part) for part in unseen.split(512)]).softmax(1).double().numpy()


def _standardised(train: Pixels, test: Pixels) -> "list[Tensor]":
    """Both sets as tensors [n, 1, h, w], by mean and deviation of the training pixels."""
    import torch

    small = [pooled(pixels, MOST_PIXELS) for pixels in (train, test)]
    mean, deviation = small[0].mean(), small[0].std() + 1e-6
    return [torch.from_numpy((pixels - mean) / deviation)[:, None] for pixels in small]


def _shifted(images: "Tensor") -> "Tensor":
    """The images moved by up to two pixels, one shift for the batch."""
    import torch
    from torch.nn import functional

    down, right = torch.randint(2 * SHIFT + 1, (2,)).tolist()
    h, w = images.shape[2:]
    return functional.pad(images, [SHIFT] * 4, mode="replicate")[:, :, down : down + h, right : right + w]


def _network(classes: int) -> "nn.Module":
    """Three convolutions; the head sees where tissue lies (means on a 3 x 3 grid) and small lesions (maxima)."""
    import torch
    from torch import nn
    from torch.nn import functional

    layers: list[nn.Module] = []
    for inputs, outputs in zip((1, *CHANNELS), CHANNELS, strict=False):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(*layers)
            self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(10 * CHANNELS[-1], classes))

        def forward(self, images: "Tensor") -> "Tensor":
            seen = self.body(images)
            return self.head(torch.cat([functional.adaptive_avg_pool2d(seen, 3).flatten(1), seen.amax((2, 3))], 1))

    return Net()


def logistic(train: Pixels, codes: Codes, test: Pixels, classes: int, seed: int) -> np.ndarray:
    """Class probabilities by a regularised logistic regression on images averaged to at most 16 pixels a side."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    flat = [pooled(pixels, LOGISTIC_PIXELS).reshape(len(pixels), -1) for pixels in (train, test)]
    with threadpool_limits(limits=1):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500, random_state=seed))
        found = model.fit(flat[0], codes).predict_proba(flat[1])
    scores = np.zeros((len(test), classes))
    scores[:, model.classes_] = found
    return scores


CLASSIFIERS: Mapping[str, Classifier] = {"convolutional": convolutional, "logistic": logistic}
