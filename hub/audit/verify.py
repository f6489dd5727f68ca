"""Verification: is the log whole, and where was it changed?

Belongs here: the check over any source of entries, store or file. Does not belong here: reading them (``reading``,
``offline``).

What is found: every change of an entry, missing, added and swapped entries, a cut end behind a signed head, and a rewrite
of the whole chain if a head was signed before it: those in the store, and any head that somebody kept elsewhere. What no
check can find: entries that were cut off or rewritten before any head over them was signed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.audit.chain import BODY, GENESIS, digest_of
from hub.audit.head import Head
from hub.audit.merkle import Frontier

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Outcome of a verification.

    Parameters
    ----------
    size, heads : int
        Entries and signed heads that were proven right.
    first_wrong, last_wrong : int or None
        The wrong entry; a range where only heads disagree, which tell that it lies between two of them.
    reason : str
        What is wrong; empty if all is right.
    root : str
        Merkle root over the proven entries.
    """

    size: int
    heads: int
    root: str
    first_wrong: int | None = None
    last_wrong: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        """Whether nothing was changed."""
        return not self.reason


class _Wrong(Exception):
    def __init__(self, reason: str, first: int | None = None, last: int | None = None) -> None:
        self.reason, self.first, self.last = reason, first, last if last is not None else first


def verify(entries: Iterable[Fields], heads: Sequence[Head], key: Ed25519PublicKey) -> Verdict:
    """Check entries (in order) against each other and against all ``heads``, stored and kept ones alike."""
    frontier, proven = Frontier(), 0
    waiting = sorted(heads, key=lambda head: head.size)
    try:
        for head in waiting:
            if not head.genuine(key):
                raise _Wrong(f"the head of {head.size} entries must be signed by this hub, got another signature")
        for entry in _chained(entries):
            frontier.append(bytes.fromhex(entry["digest"]))
            while proven < len(waiting) and waiting[proven].size == frontier.size:
                _must_agree(frontier, waiting[proven], waiting[:proven])
                proven += 1
        if proven < len(waiting):
            raise _Wrong(f"{waiting[-1].size} entries were signed, got {frontier.size}: the end was cut off",
                         frontier.size + 1, waiting[-1].size)  # fmt: skip
    except _Wrong as found:
        return Verdict(frontier.size, proven, frontier.root.hex(), found.first, found.last, found.reason)
    return Verdict(frontier.size, proven, frontier.root.hex())


def _must_agree(frontier: Frontier, head: Head, earlier: Sequence[Head]) -> None:
    if frontier.root.hex() == head.root:
        return
    begin = max((known.size for known in earlier if known.size < head.size), default=0) + 1
    raise _Wrong(f"the log was rewritten: it differs from the head signed at {head.size} entries", begin, head.size)


def _chained(entries: Iterable[Fields]) -> Iterator[Fields]:
    """Entries whose number, link and digest are right, each only when the next one confirms it."""
    former, before = GENESIS, None
    for expected, entry in enumerate(entries, start=1):
        if entry["number"] != expected:
            raise _Wrong(f"entry {expected} must follow, got number {entry['number']}", expected)
        whole = _digest(entry, entry["former"]) == entry["digest"]
        if not whole:
            raise _Wrong(f"entry {expected} was changed: its digest does not fit what it says", expected)
        if entry["former"] != former:
            # The entry fits itself, so what it was built on is another: the one before was replaced.
            place = max(expected - 1, 1)
            raise _Wrong(f"entry {place} was replaced: the next one was built on another", place)
        if before is not None:
            yield before
        former, before = entry["digest"], entry
    if before is not None:
        yield before


def _digest(entry: Fields, former: str) -> str | None:
    try:
        return digest_of({name: entry[name] for name in BODY}, former)
    except (TypeError, ValueError, AttributeError):
        return None
