"""ACRO's verdict on each cell of tables, from standard input to standard output; runs in ACRO's own environment."""

import contextlib
import io
import json
import logging
import sys
from importlib.metadata import version

import acro  # pyright: ignore[reportMissingImports]
import pandas

logging.disable(logging.CRITICAL)
NAMES = {"MinimumThresholdCheck": "threshold", "NKCheck": "dominance", "PPercentCheck": "p-percent"}
BESIDE = {"ok", "", "PresenceOfZeroCheck", "MissingCheck"}  # empty cells are not compared


def verdict(table: dict) -> dict:
    """Cell (its labels joined by a bar) to the rules it breaks."""
    frame = pandas.DataFrame(table["rows"], columns=["a", "b", "value"])  # pyright: ignore[reportArgumentType]
    session = acro.ACRO(suppress=False)
    more = {"values": frame["value"], "aggfunc": "sum"} if table["magnitude"] else {}
    session.crosstab(frame["a"], frame["b"], **more)
    outcome = session.results.get_index(0).outcome
    return {
        f"{row}|{column}": sorted(NAMES[name] for name in map(str.strip, str(words).split(";")) if name not in BESIDE)
        for row, line in outcome.to_dict("index").items()
        for column, words in line.items()
    }


with contextlib.redirect_stdout(io.StringIO()):
    found = [verdict(table) for table in json.load(sys.stdin)]
print(json.dumps({"version": version("acro"), "tables": found}))
