"""OpenDP's MST and AIM on mbi (private-pgm), add/remove one row, budget in zCDP as ours.

Levels are given as cuts between them, for ``keys`` would add a level for unknown values to every column. MST divides
its budget for selection into parts that add up to more by one unit in the last place and then refuses itself;
``prior``, which is there to prevent this, gives way a little more here. Rows are drawn by ``drawing``;
``mst-released`` keeps the drawing of the installed mbi. AIM's workload is all pairs, as dpmm's and smartnoise's are by
default; with its own default of triples its process ended without a word on flchain, after 4 GB of memory.
"""

import drawing
import opendp.extras.mbi._mst
import opendp.prelude as dp
import polars as pl
from contract import run
from opendp.extras.mbi import AIM, MST

dp.enable_features("contrib")
opendp.extras.mbi._mst.prior = lambda budget: budget * (1 - 1e-12)


def fit(table, settings):
    kind, _, released = settings["algorithm"].partition("-")
    if not released:
        drawing.mend()
    context = dp.Context.compositor(
        data=pl.LazyFrame(table.to_dict("list")),
        privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=dp.loss_of(rho=settings["rho"] * (1 + 1e-9)),  # its own sums exceed an exact budget by an ulp
    )
    cuts = {name: list(range(count - 1)) for name, count in settings["levels"].items()}
    algorithm = {"mst": MST(), "aim": AIM(queries=2)}[kind]
    release = context.query(rho=settings["rho"]).contingency_table(cuts=cuts, algorithm=algorithm).release()
    return release.synthesize(rows=len(table)).to_pandas()


run(fit)
