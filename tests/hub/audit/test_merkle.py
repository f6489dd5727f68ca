"""Tree heads and proofs against the definitions of RFC 6962, section 2.1."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audit import merkle

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)
# Test vectors of the reference implementation of RFC 6962 (certificate-transparency, merkle_tree_test).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH as the RFC writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + defined_root(leaves[:half]) + defined_root(leaves[half:])).digest()


@pytest.mark.parametrize("size", ROOTS)
def test_published_vectors(size: int) -> None:
    assert merkle.root_of([bytes.fromhex(text) for text in INPUTS[:size]]).hex() == ROOTS[size]


def test_the_empty_tree() -> None:
    assert merkle.root_of([]) == defined_root([]) == merkle.EMPTY


@given(LEAVES)
def test_roots_are_as_defined(leaves: list[bytes]) -> None:
    assert merkle.root_of(leaves) == defined_root(leaves)


@given(LEAVES, st.data())
def test_a_frontier_continues_from_its_peaks(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    first = merkle.Frontier().extend(leaves[:cut])
    again = merkle.Frontier(first.size, first.peaks).extend(leaves[cut:])
    assert again.root == defined_root(leaves)
    assert len(again.peaks) == len(leaves).bit_count()


@given(LEAVES, st.data())
def test_every_leaf_is_proven_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = merkle.inclusion_proof(leaves, index), merkle.root_of(leaves)
    assert merkle.included(leaves[index], index, len(leaves), proof, root)
    assert not merkle.included(leaves[index] + b"x", index, len(leaves), proof, root)
    assert not merkle.included(leaves[index], index, len(leaves), [*proof, b"\0" * 32], root)
    assert not merkle.included(leaves[index], len(leaves), len(leaves), proof, root)
    if proof:
        assert not merkle.included(leaves[index], index, len(leaves), proof[:-1], root)
        assert not merkle.included(leaves[index], index, len(leaves), [b"\1" * 32, *proof[1:]], root)


@settings(max_examples=200)
@given(LEAVES, st.data())
def test_growth_is_proven_and_rewriting_is_not(leaves: list[bytes], data: st.DataObject) -> None:
    former = data.draw(st.integers(1, len(leaves)))
    old, new = merkle.root_of(leaves[:former]), merkle.root_of(leaves)
    proof = merkle.consistency_proof(leaves, former)
    assert merkle.consistent(former, len(leaves), old, new, proof)
    other = merkle.root_of([leaves[0] + b"x", *leaves[1:former]])
    assert not merkle.consistent(former, len(leaves), other, new, proof)
    rewritten = [leaves[0] + b"x", *leaves[1:]]
    assert not merkle.consistent(
        former, len(leaves), old, merkle.root_of(rewritten), merkle.consistency_proof(rewritten, former)
    )
    assert not merkle.consistent(0, len(leaves), merkle.EMPTY, new, proof)
