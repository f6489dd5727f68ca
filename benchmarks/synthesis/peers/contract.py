"""What every peer's runner does around its fit: read the encoded table, measure the cost, write the drawn rows.

Runs in the peer's own environment: standard library and pandas only.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

Fit = Callable[[pd.DataFrame, dict[str, Any]], pd.DataFrame]


def run(fit: Fit) -> None:
    """Call ``fit(table of level numbers, settings)`` and store what it draws; settings is the file named in argv.

    The process ends itself at the limit of processor time that the settings name.
    """
    settings = json.loads(Path(sys.argv[1]).read_text())
    resource.setrlimit(resource.RLIMIT_CPU, (settings["limit"], resource.RLIM_INFINITY))
    table = pd.read_csv(settings["table"])
    start = time.process_time()
    drawn = fit(table, settings)
    cost = {
        "cpu_s": time.process_time() - start,
        "mib": peak_mib(),
    }
    drawn[list(settings["levels"])].astype(int).to_csv(settings["out"], index=False)
    Path(settings["cost"]).write_text(json.dumps(cost))


def peak_mib() -> int:
    """Most resident memory of this program so far; on Linux ``ru_maxrss`` counts the starting process too."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024
