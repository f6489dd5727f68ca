"""Real and synthetic radiographs side by side, one row for each method and epsilon.

Belongs here: the picture. Does not belong here: scoring. The real images are openly licensed (CC BY 4.0).
"""

import matplotlib.pyplot as plt
import numpy as np

from benchmarks.images.cohort import ROOT, example, split
from benchmarks.images.entry import drawn

PICTURE = ROOT / "docs" / "images" / "chest_xray28_synthetic.png"
EACH = 6
ROWS = [("gaussian", 10.0), ("gaussian", 1.0), ("evolution", 10.0), ("evolution", 1.0), ("embedding", 10.0),
        ("embedding", 1.0), ("prior", 0.0)]  # fmt: skip


def write_picture() -> None:
    """Draw all methods with seed 0 and write the picture."""
    train, _, schema = split()
    tables = [("real", train)]
    tables += [(_title(name, epsilon), drawn(name, epsilon, 0)[0]) for name, epsilon in ROWS]
    figure, axes = plt.subplots(len(tables), 1, figsize=(9, 1.0 * len(tables)), layout="constrained")
    for axis, (title, table) in zip(axes, tables, strict=True):
        strips = [np.concatenate(list(example(table, schema, level, EACH)), axis=1) for level in schema.label.levels]
        gap = np.ones((strips[0].shape[0], 6))
        axis.imshow(np.concatenate([strips[0], gap, *strips[1:]], axis=1), cmap="gray", vmin=0, vmax=1)
        axis.set_ylabel(title, rotation=0, ha="right", va="center")
        axis.set_xticks([])
        axis.set_yticks([])
    axes[0].set_title("normal (left) and pneumonia (right)", fontsize=10)
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)


def _title(name: str, epsilon: float) -> str:
    return f"{name}, epsilon {epsilon:g}" if epsilon else name
