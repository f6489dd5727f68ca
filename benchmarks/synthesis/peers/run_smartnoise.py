"""smartnoise-synth: MST and AIM; it learns the levels of each column from the table, and takes its length as known.

Rows are drawn by ``drawing``; ``mst-released`` keeps the drawing of the installed mbi.
"""

import drawing
import numpy as np
import torch
from contract import run
from snsynth.aim import AIMSynthesizer
from snsynth.mst import MSTSynthesizer


def fit(table, settings):
    kind, _, released = settings["algorithm"].partition("-")
    if not released:
        drawing.mend()
    np.random.seed(settings["seed"])  # noqa: NPY002, the peer draws from the global generator
    torch.manual_seed(settings["seed"])
    model = {"mst": MSTSynthesizer, "aim": AIMSynthesizer}[kind](epsilon=settings["epsilon"], delta=settings["delta"])
    model.fit(table.astype(str), categorical_columns=list(table.columns))
    return model.sample(len(table))


run(fit)
