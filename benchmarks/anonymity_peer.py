"""The levels that anjana chooses: run in ``.peers/anjana`` by ``benchmarks.anonymity``, on files it left in a folder.

Belongs here: one call of the peer. Does not belong here: judging what it found, which our side does for all alike.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from anjana.anonymity._k_anonymity import k_anonymity_inner


def main(folder: Path) -> None:
    """Print the level of each quasi-identifier and the seconds, as JSON."""
    asked = json.loads((folder / "asked.json").read_text())
    table = pd.read_csv(folder / "table.csv", dtype=str, keep_default_na=False)
    hierarchies = {
        name: {int(level): pd.Series(labels) for level, labels in levels.items()}
        for name, levels in asked["hierarchies"].items()
    }
    start = time.process_time()
    done, _, levels = k_anonymity_inner(
        table, [], list(hierarchies), asked["k"], asked["suppression"] * 100, hierarchies
    )
    seconds = time.process_time() - start
    print(json.dumps({"levels": {n: int(v) for n, v in levels.items()}, "seconds": seconds, "rows": len(done)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
