"""arfpy: adversarial random forests, without privacy; all columns are categories in the order of their levels."""

import numpy as np
from arfpy import arf
from contract import run


def fit(table, settings):
    np.random.seed(settings["seed"])  # noqa: NPY002, the peer draws from the global generator
    model = arf.arf(table.astype("category"), verbose=False, random_state=settings["seed"], n_jobs=1)
    model.forde()
    return model.forge(len(table))


run(fit)
