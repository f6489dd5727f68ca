"""Trains the tagger that works beside the rules of ``deidentification.text``.

    python -m benchmarks.tagging                 trains on all notes and writes the package's weights
    python -m benchmarks.tagging cross-validate  trains without a fifth of the notes and measures on it, for each fifth

Takes about seven minutes on one core, cross-validation five times as long; the same seeds, so the same weights on the same machine.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tagging.cross_validation import report
from benchmarks.tagging.network import trained

WEIGHTS = Path(__file__).parents[2] / "deidentification/text/tagger.npz"


def main(arguments: Sequence[str]) -> None:
    if arguments == ["cross-validate"]:
        print("\n".join(report()))
    else:
        weights: dict[str, Any] = trained()
        np.savez_compressed(WEIGHTS, **weights)


if __name__ == "__main__":
    main(sys.argv[1:])
