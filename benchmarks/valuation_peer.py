"""KNN-Shapley values of pyDVL: run in ``.peers/pydvl`` (``pip install pydvl==0.10.0``), prints JSON for the tests.

``.peers/pydvl/bin/python benchmarks/valuation_peer.py > tests/hub/valuation/pydvl_knn.json``.
"""

import json
import time

import numpy as np
from pydvl.valuation import Dataset, KNNShapleyValuation
from sklearn.datasets import load_breast_cancer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import scale


def main() -> None:
    features, labels = load_breast_cancer(return_X_y=True)
    features = np.round(scale(features), 3)
    train, test = Dataset(features[:400], labels[:400]), Dataset(features[400:500], labels[400:500])
    found, seconds = {}, {}
    for neighbours in (1, 5):
        model = KNeighborsClassifier(n_neighbors=neighbours)
        begin = time.perf_counter()
        valuation = KNNShapleyValuation(model, test, progress=False, clone_before_fit=True).fit(train)
        seconds[neighbours] = time.perf_counter() - begin
        result = valuation.result if hasattr(valuation, "result") else valuation.values()
        values = np.empty(400)
        values[result.indices] = result.values
        found[neighbours] = values.tolist()
    print(json.dumps({"peer": "pyDVL 0.10.0", "seconds": seconds, "values": found}))


if __name__ == "__main__":
    main()
