"""OpenDP's MST and AIM on mbi (private-pgm), add/remove one row, budget in zCDP as ours."""

import opendp.prelude as dp
import polars as pl
from contract import run
from opendp.extras.mbi import AIM, MST

dp.enable_features("contrib")


def fit(table, settings):
    context = dp.Context.compositor(
        data=pl.LazyFrame(table.to_dict("list")),
        privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=dp.loss_of(rho=settings["rho"] * (1 + 1e-9)),  # its own sums exceed an exact budget by an ulp
    )
    keys = {name: list(range(count)) for name, count in settings["levels"].items()}
    algorithm = {"mst": MST, "aim": AIM}[settings["algorithm"]]()
    release = context.query(rho=settings["rho"]).contingency_table(keys=keys, algorithm=algorithm).release()
    return release.synthesize().to_pandas().head(len(table))


run(fit)
