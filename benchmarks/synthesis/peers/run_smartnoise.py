"""smartnoise-synth: MST and AIM."""

import numpy as np
import torch
from contract import run
from snsynth.aim import AIMSynthesizer
from snsynth.mst import MSTSynthesizer


def fit(table, settings):
    np.random.seed(settings["seed"])  # noqa: NPY002, the peer draws from the global generator
    torch.manual_seed(settings["seed"])
    kind = {"mst": MSTSynthesizer, "aim": AIMSynthesizer}[settings["algorithm"]]
    model = kind(epsilon=settings["epsilon"], delta=settings["delta"])
    model.fit(table.astype(str), categorical_columns=list(table.columns))
    return model.sample(len(table))


run(fit)
