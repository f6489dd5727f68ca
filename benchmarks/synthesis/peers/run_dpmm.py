"""dpmm: MST and AIM, on the public grid (its own binning is off)."""

from contract import run
from dpmm.pipelines import AIMPipeline, MSTPipeline


def fit(table, settings):
    kind = {"mst": MSTPipeline, "aim": AIMPipeline}[settings["algorithm"]]
    model = kind(epsilon=settings["epsilon"], delta=settings["delta"], disable_processing=True, n_jobs=1)
    model.fit(table, domain=settings["levels"], random_state=settings["seed"])
    return model.generate(n_records=len(table), random_state=settings["seed"])


run(fit)
