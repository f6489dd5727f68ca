"""Fingerprints of rows: copies are found without showing a row.

Belongs here: canonical rows, keyed digests of whole rows and of parts. Does not belong here: what a copy earns (``copies``).

The key is the holders' (agreed for one valuation, never the hub's): who has no key learns which rows are equal and nothing else. A
row of few columns can be guessed by who has the key. Identifiers and sites are left out: a copy comes under new ones. The outcome is
in every digest: the same patient with another outcome is not a copy, and is judged by its own worth.

A part (band) is a set of columns that the key draws, with pairs of the codebook's bins as one: a row whose numbers were jittered or
of which some columns were changed keeps some of its bands.

References
----------
RFC 2104 (HMAC, for the keys). RFC 7693 (BLAKE2 with a key, for the rows). Broder (1997), On the resemblance and containment of documents; Indyk and Motwani (1998) (bands of hashes).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import polars as pl

from records.discretisation import encode
from records.errors import ParameterError
from records.schema import Column, Kind, Role, Schema

BANDS = 32
PART, FEWEST = 0.4, 4  # of the columns, in each band
KEY_BYTES = 16
BETWEEN = "\x1f"


@dataclass(frozen=True)
class Fingerprints:
    """Digests of some rows.

    Parameters
    ----------
    whole : numpy.ndarray of uint64, shape (rows,)
    bands : numpy.ndarray of uint64, shape (rows, BANDS)
    """

    whole: np.ndarray
    bands: np.ndarray

    def at(self, rows: np.ndarray) -> "Fingerprints":
        """Those of ``rows`` (numbers or a mask)."""
        return Fingerprints(self.whole[rows], self.bands[rows])


def fingerprints(frame: pl.DataFrame, schema: Schema, key: bytes) -> Fingerprints:
    """Fingerprints of a table in schema form.

    Raises
    ------
    ParameterError
        The key is short, or there is nothing to compare.
    """
    if len(key) < KEY_BYTES:
        raise ParameterError(f"a key must have at least {KEY_BYTES} bytes, got {len(key)}; draw one from os.urandom")
    columns = [c for c in schema.columns if c.role not in (Role.IDENTIFIER, Role.SITE) and _comparable(c)]
    if not columns:
        raise ParameterError(f"{schema.name} must have columns to compare, got none; see its codebook")
    rows = frame.select(pl.concat_str([_canonical(c) for c in columns], separator=BETWEEN)).to_series()
    return Fingerprints(_digests(rows.to_list(), key, b"row"), _bands(frame, columns, key))


def joined(parts: Sequence[Fingerprints]) -> Fingerprints:
    """The fingerprints of several holders, in order."""
    return Fingerprints(np.concatenate([p.whole for p in parts]), np.concatenate([p.bands for p in parts]))


def _bands(frame: pl.DataFrame, columns: Sequence[Column], key: bytes) -> np.ndarray:
    fate = [i for i, c in enumerate(columns) if c.role in (Role.OUTCOME, Role.EVENT)]
    others = np.array([i for i, c in enumerate(columns) if i not in fate and c.role is not Role.TIME], dtype=int)
    numeric = np.array([c.numeric for c in columns])
    codes = encode(frame, columns)
    drawn = np.random.default_rng(int.from_bytes(hmac.digest(key, b"bands", "sha256")))
    size = min(len(others), max(FEWEST, round(PART * len(others))))
    found = []
    for number in range(BANDS):
        # Where pairs of bins begin is drawn too: a value at one band's edge is inside another's pair.
        paired = np.where(numeric, (codes + drawn.integers(2, size=len(columns))) // 2, codes)
        chosen = np.sort(drawn.choice(others, size, replace=False))
        rows = np.ascontiguousarray(np.concatenate([paired[:, chosen], codes[:, fate]], axis=1), dtype=np.int32)
        found.append(_digests([row.tobytes() for row in rows], key, b"band %d" % number))
    return np.column_stack(found)


def _canonical(column: Column) -> pl.Expr:
    """One spelling of each value: a number as whole steps, a date as days, missing as nothing."""
    value = pl.col(column.name)
    if column.kind is Kind.NUMBER:
        value = (value / column.step).round(0) if column.step else value.round(6)
        value = value + 0.0  # no negative zero
    elif column.kind is Kind.DATE:
        value = value.cast(pl.Int32)
    return value.cast(pl.String).fill_null("")


def _comparable(column: Column) -> bool:
    return column.kind is Kind.CATEGORY or column.numeric


def _digests(rows: Sequence[str | bytes], key: bytes, what: bytes) -> np.ndarray:
    made = hmac.digest(key, what, "sha256")
    each = (row.encode() if isinstance(row, str) else row for row in rows)
    return np.frombuffer(b"".join(blake2b(row, digest_size=8, key=made).digest() for row in each), dtype=np.uint64)
