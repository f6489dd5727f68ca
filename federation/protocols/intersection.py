"""How many patients are known at several sites, without telling which.

Belongs here: private set intersection of any number of parties, cardinality only. Does not belong here: joining columns
of the same patients (``linkage``).

Every list of identifiers, filled up with decoys to a power of two, goes round all parties; each applies its secret and
shuffles. When a list has been everywhere, equal identifiers are equal points and nobody knows whose they are. One party,
without data if there is one, counts equal points and puts the numbers into the protocol, which opens those that are large
enough. Learnt beside the result: the counting party learns all sizes, small ones too, and which two parties share how
many; the others learn each list's size up to the next power of two. Sites must use the same pseudonyms for the same patient.

References
----------
Meadows (1986); Huberman, Franklin and Hogg (1999). De Cristofaro, Gasti and Tsudik (2012), Fast and private computation
of cardinality of set intersection and union.
"""

import asyncio
from itertools import combinations

import numpy as np

from federation.jobs.job import Job
from federation.jobs.steps import Steps
from federation.protocols.blinded import (
    Blinding,
    Points,
    blinded_by,
    receive_points,
    send_hashed,
    send_points,
    shuffled,
)
from federation.protocols.patients import Patients, patients
from federation.protocols.suppression import (
    SUPPRESSED,
    Result,
    answer,
    cells_left_out,
    listed,
    opened_counts,
    opened_with_totals,
)
from federation.runtime import Runtime, Shares
from federation.site import Site
from records.errors import ParameterError

SMALLEST_LIST = 64


async def intersection(rt: Runtime, site: Site, job: Job, steps: Steps) -> Result:
    """Distinct patients of all sites, patients known at two sites or more, and patients common to each two sites."""
    held = await patients(rt, site, job)
    identifiers = own_identifiers(site, job) if rt.index in held.holders else []
    fill = _padded(len(identifiers)) - len(identifiers) if rt.index in held.holders else 0
    counting = next((party for party in range(rt.parties) if party not in held.holders), 0)
    lists = await _gone_round(rt, held, identifiers, fill, job, steps, counting)
    pairs = list(combinations(held.holders, 2))
    shape = (2 + len(pairs),)
    counted = _counted(lists, pairs) if lists is not None else None
    sizes = await rt.input(counting, counted, shape)
    decoy = await rt.input_sum(np.array([fill] + [0] * (1 + len(pairs))), shape)
    found = await _opened(rt, rt.subtract(sizes, decoy), job.minimum_count)
    names = [[job.participants[a], job.participants[b]] for a, b in pairs]
    between = [{"parties": two, "patients": listed(n)} for two, n in zip(names, found[2:], strict=True)]
    figures = {"distinct": listed(found[0]), "repeated": listed(found[1]), "pairs": between}
    return answer(job, cells_left_out(found, "numbers of patients", job), figures)


async def _opened(rt: Runtime, sizes: Shares, minimum: int) -> np.ndarray:
    """The numbers that are large enough.

    Without the patients at two sites or more, the distinct ones are left out as well: a count of all would tell the former.
    """
    repeated = await opened_counts(rt, sizes[1:2], minimum)
    few = repeated[0] == SUPPRESSED
    distinct = np.array([SUPPRESSED]) if few else await opened_counts(rt, sizes[:1], minimum)
    (pairs,) = await opened_with_totals(rt, [sizes[2:]], minimum)
    return np.concatenate([distinct, repeated, pairs])


def own_identifiers(site: Site, job: Job) -> list[str]:
    """Pseudonyms of this party's patients, each once, in random order."""
    identifier = site.schema(job.dataset).identifier
    if identifier is None:
        raise ParameterError(f"{job.dataset} must have an identifier, got none; name one in the codebook")
    column = site.table(job.dataset, [identifier.name], job.filters)[identifier.name]
    return [str(one) for one in column.drop_nulls().unique().shuffle()]


async def _gone_round(
    rt: Runtime, held: Patients, identifiers: list[str], fill: int, job: Job, steps: Steps, counting: int
) -> dict[int, Points] | None:
    """Lists by their owner, under all parties' secrets; only at the counting party."""
    own, after, before = Blinding(), (rt.index + 1) % rt.parties, (rt.index - 1) % rt.parties
    current: Points = []
    for hop in range(rt.parties - 1):
        steps.tell(f"lists of pseudonyms, hop {hop + 1} of {rt.parties - 1}")
        if hop == 0:
            # Mixed and in equal messages, so that the next party cannot tell decoys from patients.
            sending = send_hashed(rt, after, own, shuffled([*identifiers, *[None] * fill]), job.id)
        else:
            sending = send_points(rt, after, current)
        _, got = await asyncio.gather(sending, receive_points(rt, before))
        current = shuffled(await blinded_by(rt, own, got, before))
    owner = (rt.index + 1) % rt.parties  # the list that has now been everywhere
    if rt.index != counting:
        if owner in held.holders:
            await send_points(rt, counting, current)
        return None
    lists = {owner: current} if owner in held.holders else {}
    for party in held.holders:
        last = (party - 1) % rt.parties
        if last != rt.index:
            lists[party] = await receive_points(rt, last)
    return lists


def _counted(lists: dict[int, Points], pairs: list[tuple[int, int]]) -> np.ndarray:
    sets = {party: set(points) for party, points in lists.items()}
    times: dict[bytes, int] = {}
    for points in sets.values():
        for point in points:
            times[point] = times.get(point, 0) + 1
    common = [len(sets[a] & sets[b]) for a, b in pairs]
    return np.array([len(times), sum(n > 1 for n in times.values()), *common], dtype=np.int64)


def _padded(size: int) -> int:
    return max(SMALLEST_LIST, 1 << (size - 1).bit_length()) if size else SMALLEST_LIST
