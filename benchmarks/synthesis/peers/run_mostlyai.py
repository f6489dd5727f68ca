"""MOSTLY AI's engine: autoregressive network for tables, trained from scratch, without privacy.

All columns are categories; its protection of rare values is off, since levels are public.
"""

import torch
from contract import run
from mostlyai.engine import TabularARGN


def fit(table, settings):
    torch.set_num_threads(1)
    kinds = dict.fromkeys(table.columns, "TABULAR_CATEGORICAL")
    model = TabularARGN(tgt_encoding_types=kinds, value_protection=False, device="cpu", random_state=settings["seed"])
    return model.fit(table.astype(str)).sample(len(table))


run(fit)
