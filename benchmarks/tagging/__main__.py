"""Trains the tagger that works beside the rules of ``deidentification.text``.

    python -m benchmarks.tagging            trains on all sets that were read and writes the package's weights
    python -m benchmarks.tagging leave-out  trains without a set and measures on it, for each set of an author who knew no rule

Takes about two minutes on one core (three times as long to leave sets out); the same seeds, so the same weights on the same machine.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tagging.corpus import PARTS
from benchmarks.tagging.leaving_out import report
from benchmarks.tagging.network import trained

WEIGHTS = Path(__file__).parents[2] / "deidentification/text/tagger.npz"


def main(arguments: Sequence[str]) -> None:
    if arguments == ["leave-out"]:
        print("\n".join(report()))
    else:
        weights: dict[str, Any] = trained(PARTS)
        np.savez_compressed(WEIGHTS, **weights)


if __name__ == "__main__":
    main(sys.argv[1:])
