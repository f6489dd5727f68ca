"""Merkle trees over the audit log: heads, inclusion and consistency proofs.

Belongs here: hashing of bytes. Does not belong here: what the bytes mean, signatures.

References
----------
RFC 6962, Certificate Transparency, section 2.1 (tree hash, audit paths, consistency proofs); RFC 9162, sections 2.1.3.2 and
2.1.4.2 (verification of both).
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf; the prefix keeps leaves and nodes apart."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A growing tree, kept as the roots of its full subtrees: a thousand million leaves need thirty hashes.

    Parameters
    ----------
    size : int
        Leaves so far.
    peaks : sequence of bytes
        Roots of the full subtrees, largest first; one for each bit of ``size`` that is set.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)

    def append(self, data: bytes) -> None:
        """Add a leaf."""
        node, carried = leaf_hash(data), self.size
        while carried & 1:
            node, carried = node_hash(self.peaks.pop(), node), carried >> 1
        self.peaks.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Add leaves in order."""
        for leaf in leaves:
            self.append(leaf)
        return self

    @property
    def root(self) -> bytes:
        """The tree's head."""
        if not self.peaks:
            return EMPTY
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The head of a tree."""
    return Frontier().extend(leaves).root


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf ``index`` (from 0) to the head."""
    if len(leaves) <= 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion_proof(leaves[:half], index), root_of(leaves[half:])]
    return [*inclusion_proof(leaves[half:], index - half), root_of(leaves[:half])]


def included(data: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``data`` is leaf ``index`` of the tree of ``size`` leaves whose head is ``root``."""
    if not 0 <= index < size:
        return False
    at, last, node = index, size - 1, leaf_hash(data)
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(step, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, step)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], former: int) -> list[bytes]:
    """The hashes that show that the tree of the first ``former`` leaves was only appended to."""
    return _subproof(leaves, former, whole=True) if 0 < former < len(leaves) else []


def consistent(former: int, size: int, former_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree with ``root`` continues the one with ``former_root``."""
    if former == size:
        return former_root == root and not proof
    if not 0 < former < size or not proof:
        return False
    path = [former_root, *proof] if former & (former - 1) == 0 else list(proof)
    at, last = former - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == former_root and new == root


def _subproof(leaves: Sequence[bytes], former: int, *, whole: bool) -> list[bytes]:
    if former == len(leaves):
        return [] if whole else [root_of(leaves)]
    half = _split(len(leaves))
    if former <= half:
        return [*_subproof(leaves[:half], former, whole=whole), root_of(leaves[half:])]
    return [*_subproof(leaves[half:], former - half, whole=False), root_of(leaves[:half])]


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1
