"""The holdout: patients that no synthesizer may learn from.

Belongs here: the row-wise rule. Does not belong here: cross-validation folds or site splits (``use_cases``).
"""

import hashlib

import numpy as np
import polars as pl

from deidentification.identifiers import identifier_texts
from records.errors import ParameterError

HOLDOUT = "holdout"
DEFAULT_SHARE = 0.3


def holdout(ids: pl.Series, share: float = DEFAULT_SHARE) -> pl.Series:
    """Whether each patient is held out.

    The first 64 bits of ``sha256("holdout:" + id)`` are compared with ``share``. A patient's side depends on that
    patient alone, so that adding or removing another never moves it: the split is 1-stable (a shuffled split is
    not), is the same on every machine, and survives a change of the pseudonym key. It is not keyed because it need
    not be secret: it is never released, and guarantees do not rest on it.

    Parameters
    ----------
    ids : polars.Series of String or integers, length n
        The hospital's identifiers, before pseudonyms.
    share : float
        Expected share held out, 0 <= share < 1.

    Returns
    -------
    polars.Series of Boolean, length n, named ``holdout``

    Raises
    ------
    ParameterError
        ``share`` is out of range, or identifiers are missing or of another type.
    """
    if not 0 <= share < 1:
        raise ParameterError(
            f"holdout share must be at least 0 and below 1, got {share}; the default is {DEFAULT_SHARE}"
        )
    heads = b"".join([hashlib.sha256(b"holdout:" + text.encode()).digest()[:8] for text in identifier_texts(ids)])
    return pl.Series(HOLDOUT, np.frombuffer(heads, dtype=">u8") < np.uint64(int(share * 2.0**64)), dtype=pl.Boolean)
