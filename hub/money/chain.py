"""What the digests of entries, transactions and documents cover.

Belongs here: bytes and digests, without a store. Does not belong here: appending (``ledger``), the check (``check``).

An entry is one line of text, which is unambiguous since an account's id is hexadecimal and a currency three letters; the check
looks at both. A transaction is a list in JSON, with its entries' digests and the digest of the transaction before.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=str).encode
SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False, default=str).encode


def entry_digest(number: int, line: int, account: str, currency: str, cents: int) -> str:
    """Hexadecimal sha256 of one entry."""
    return sha256(f"{number},{line},{account},{currency},{cents}".encode()).hexdigest()


def transaction_digest(row: Sequence[Any], entries: Sequence[str]) -> str:
    """Of number, time (as stored), key, kind, subject, document, reverses, lines, former; and the entries' digests."""
    return sha256(ENCODE([*row, *entries]).encode()).hexdigest()


def document_digest(values: Mapping[str, Any]) -> str:
    """Of an invoice or a payout."""
    return sha256(SORTED(values).encode()).hexdigest()
