"""SDV: Gaussian copula, CTGAN and TVAE, without privacy.

For the copula numeric columns are ordinal numbers with missing values, under its default distribution (beta; told that
all are categories it had less utility on flchain, and kernel densities took minutes). For the networks all columns are
categories; they are trained for their default of 300 epochs.
"""

import numpy as np
import torch
from contract import run
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer


def fit(table, settings):
    np.random.seed(settings["seed"])  # noqa: NPY002, the peer draws from the global generator
    torch.manual_seed(settings["seed"])
    torch.set_num_threads(1)
    numeric = settings["numeric"] if settings["algorithm"] == "copula" else {}
    table = table.astype({name: float if name in numeric else str for name in table})
    for name, missing in numeric.items():
        table[name] = table[name].where(table[name] < missing)
    kinds = {name: {"sdtype": "numerical" if name in numeric else "categorical"} for name in table}
    metadata = Metadata.load_from_dict({"tables": {"table": {"columns": kinds}}})
    drawn = _model(settings["algorithm"], metadata, table).sample(len(table))["table"]
    for name, missing in numeric.items():
        drawn[name] = drawn[name].round().fillna(missing)
    return drawn


def _model(algorithm, metadata, table):
    if algorithm == "copula":
        model = GaussianCopulaSynthesizer(metadata)
    else:
        model = {"ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer}[algorithm](metadata, enable_gpu=False)
    model.fit({"table": table})
    return model


run(fit)
