"""Contingency tables of columns that two parties hold of the same patients.

Belongs here: linking the two by pseudonym, and the table by one matrix product of shares. Does not belong here: tables of
different patients (``counts``).

Both holders blind their pseudonyms, and each applies its secret to the other's: equal patients become equal points. The
holders learn which of their own patients the other has too, as in record linkage by a trusted office, but nothing of
their columns; the other parties learn the number of linked patients, if it is large enough. The two one-hot matrices are
shared in the order of the points and multiplied: what is exchanged then grows with the cells, not with the patients.
"""

import asyncio

import numpy as np
import polars as pl

from federation.errors import GarbledError
from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.blinded import Blinding, blinded_by, receive_points, send_hashed, send_points
from federation.protocols.noisy import opened_shares
from federation.protocols.patients import TAG, patients
from federation.protocols.suppression import Result, answer, cells_left_out, left_out, listed
from federation.runtime import Runtime
from federation.site import Site
from records.discretisation import encode, level_count, level_labels
from records.errors import ParameterError
from records.schema import Column

MOST_CELLS = 1_000_000
SIGN_SECONDS = 5.0
_SIZE = 8


async def linked_contingency(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """The table of the job's columns over patients of two ``holders``, a mapping of party to its columns."""
    held = await patients(rt, site, job)
    parts = _parts(job)
    sides = [[held.schema[name] for name in names] for names in parts.values()]
    shapes = [[level_count(column) for column in side] for side in sides]
    if (cells := int(np.prod([n for shape in shapes for n in shape]))) > MOST_CELLS:
        raise ParameterError(f"a linked table must have at most {MOST_CELLS} cells, got {cells}; ask for fewer columns")
    left, right = (job.participants.index(name) for name in parts)
    codes, number = await _linked(rt, site, job, sides, (left, right))
    axes = [{"column": c.name, "levels": level_labels(c)} for side in sides for c in side]
    if not number:
        return answer(job, [left_out("all cells", job)], {"axes": axes, "patients": None, "counts": None})
    steps.tell(f"table of {cells} cells")
    sizes = [int(np.prod(shape)) for shape in shapes]
    shares = [
        await rt.input(party, _one_hot(codes, size) if rt.index == party else None, (number, size))
        for party, size in zip((left, right), sizes, strict=True)
    ]
    table = (await rt.inner(np.ascontiguousarray(shares[0].T), shares[1])).reshape([n for s in shapes for n in s])
    opened = await opened_shares(rt, job, steps, [table])
    counts = opened.tables[0]
    figures = {"axes": axes, "patients": number, "counts": listed(counts), "privacy": opened.privacy}
    return answer(job, cells_left_out(counts, "cells", job), figures)


def _parts(job: Job) -> dict[str, list[str]]:
    given = job.parameters.get("holders")
    if not isinstance(given, dict) or len(given) != 2 or not set(given) <= set(job.participants):
        raise ParameterError(f"holders must map two participants to their columns, got {given}; name them")
    parts = {str(party): [str(n) for n in names] for party, names in given.items() if isinstance(names, list | tuple)}
    named = [name for names in parts.values() for name in names]
    if sorted(named) != sorted(job.columns) or not all(parts.values()) or len(parts) != 2:
        raise ParameterError(f"holders must share out the job's columns, each once, got {named}; mend them")
    return dict(sorted(parts.items(), key=lambda part: job.participants.index(part[0])))


async def _linked(
    rt: Runtime, site: Site, job: Job, sides: list[list[Column]], holders: tuple[int, int]
) -> tuple[np.ndarray | None, int]:
    """Cell numbers of linked patients at a holder, and how many they are (0 if too few) at all parties."""
    others = [party for party in range(rt.parties) if party not in holders]
    if rt.index in others:
        return None, min([await _told(rt, holder) for holder in holders])
    signs = asyncio.create_task(_signs_of_life(rt, others))
    try:
        codes = await _linked_codes(rt, site, job, sides, holders)
    finally:
        signs.cancel()
        await asyncio.gather(signs, return_exceptions=True)
    number = 0 if len(codes) < job.minimum_count else len(codes)
    await asyncio.gather(*(rt.mesh.send(party, TAG, number.to_bytes(_SIZE, "big")) for party in others))
    return codes, number


async def _signs_of_life(rt: Runtime, others: list[int]) -> None:
    """Linking many patients takes longer than the others wait for a word."""
    while True:
        await asyncio.gather(*(rt.mesh.send(party, TAG, b"") for party in others))
        await asyncio.sleep(SIGN_SECONDS)


async def _told(rt: Runtime, holder: int) -> int:
    while True:
        word = await rt.mesh.receive(holder, TAG)
        if not isinstance(word, bytes) or len(word) not in (0, _SIZE):
            raise GarbledError(holder, "another word than the number of linked patients")
        if word:
            return int.from_bytes(word, "big")


async def _linked_codes(
    rt: Runtime, site: Site, job: Job, sides: list[list[Column]], holders: tuple[int, int]
) -> np.ndarray:
    """Cell numbers of this holder's columns, of linked patients in the common order."""
    mine = sides[holders.index(rt.index)]
    other = holders[1 - holders.index(rt.index)]
    identifier = site.schema(job.dataset).identifier
    if identifier is None:
        raise ParameterError(f"{job.dataset} must have an identifier, got none; name one in the codebook")
    names = [identifier.name, *(column.name for column in mine)]
    rows = site.table(job.dataset, names, job.filters).unique(identifier.name).sample(fraction=1, shuffle=True)
    order = await _common_order(rt, rows[identifier.name].cast(pl.String).to_list(), other, job.id)
    shape = [level_count(column) for column in mine]
    return np.asarray(np.ravel_multi_index(list(encode(rows[order], mine).T), shape))


async def _common_order(rt: Runtime, identifiers: list[str], other: int, job: str) -> list[int]:
    """Positions of own patients that the other holder has too, in the order of their points."""
    own = Blinding()
    _, theirs = await asyncio.gather(send_hashed(rt, other, own, identifiers, job), receive_points(rt, other))
    both = await blinded_by(rt, own, theirs, other)
    _, mine = await asyncio.gather(send_points(rt, other, both), receive_points(rt, other))
    if len(mine) != len(identifiers):
        raise GarbledError(other, "fewer points back than it was sent")
    common = set(mine) & set(both)
    return sorted((i for i, point in enumerate(mine) if point in common), key=lambda i: mine[i])


def _one_hot(codes: np.ndarray | None, size: int) -> np.ndarray:
    assert codes is not None
    return np.eye(size, dtype=np.int64)[codes]
