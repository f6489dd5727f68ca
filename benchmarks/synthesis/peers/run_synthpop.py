"""py-synthpop: sequential trees as in R's synthpop, without privacy.

Numeric columns are given as ordinal numbers (the level for missing is the highest), the others as categories. Another
package of the same import name, python-synthpop, is not sequential: it redraws each column given the real others.
"""

import numpy as np
from contract import run
from synthpop import Synthpop


def fit(table, settings):
    np.random.seed(settings["seed"])  # noqa: NPY002, the peer draws from the global generator
    kinds = {name: "int" if name in settings["numeric"] else "category" for name in table.columns}
    model = Synthpop(method="cart", seed=settings["seed"])
    model.fit(table.astype(kinds), kinds)
    return model.generate(len(table))


run(fit)
