"""The patients of a job at one party, and the codebook that all parties share.

Belongs here: agreeing on the touched columns' codebook before anything is shared, and this party's rows. A party without
the data set takes part with no rows and learns the (public) codebook from the others. Does not belong here: statistics.
"""

import asyncio
from dataclasses import dataclass

import polars as pl
from pydantic import ValidationError

from federation.errors import GarbledError, MismatchError
from federation.jobs.codebook import differing, digests
from federation.jobs.job import Job
from federation.runtime import Runtime
from federation.site import Site
from records.errors import ParameterError
from records.schema import Schema

# Messages beside the engine's operations; each pair of parties keeps its order, so one name is enough.
TAG = 2**31 - 1


@dataclass(frozen=True)
class Patients:
    """``table`` holds the job's columns of this party's ``rows`` patients; ``holders`` have the data set."""

    schema: Schema
    table: pl.DataFrame
    rows: int
    holders: tuple[int, ...]


async def patients(rt: Runtime, site: Site, job: Job) -> Patients:
    """This party's patients of ``job``, once all holders are known to mean the same by its columns.

    Raises
    ------
    MismatchError
        Codebooks differ; it names columns and parties.
    ParameterError
        This party offers the data set but has no patients, or nobody has it.
    """
    own = _codebook(site, job)
    told = await exchanged(rt, b"" if own is None else own.model_dump_json().encode())
    known = {party: _parsed(party, content) for party, content in told.items() if content}
    if own is not None:
        known[rt.index] = own
    if not known:
        raise ParameterError(f"one party at least must have {job.dataset}, got none; choose other participants")
    schema = known[rt.index] if rt.index in known else known[min(known)]
    _refuse_different(schema, known, job)
    if own is None:
        return Patients(schema, pl.DataFrame(schema=schema.polars()).select(job.columns), 0, tuple(sorted(known)))
    table = site.table(job.dataset, job.touched or site.schema(job.dataset).names[:1], job.filters)
    return Patients(schema, table.select(job.columns), table.height, tuple(sorted(known)))


async def exchanged(rt: Runtime, content: bytes) -> dict[int, bytes]:
    """What every other party tells all; for public facts only."""
    peers = rt.peers
    await asyncio.gather(*(rt.mesh.send(peer, TAG, content) for peer in peers))
    got = await asyncio.gather(*(rt.mesh.receive(peer, TAG) for peer in peers))
    for peer, payload in zip(peers, got, strict=True):
        if not isinstance(payload, bytes):
            raise GarbledError(peer, "numbers where words belong")
    return {peer: payload for peer, payload in zip(peers, got, strict=True) if isinstance(payload, bytes)}


def _codebook(site: Site, job: Job) -> Schema | None:
    if job.dataset not in site.datasets():
        return None
    schema = site.schema(job.dataset)
    if unknown := [name for name in job.touched if name not in schema.names]:
        raise ParameterError(f"columns must be those of {job.dataset}, got {', '.join(unknown)}; see its codebook")
    if site.table(job.dataset, schema.names[:1]).height == 0:
        raise ParameterError(f"{job.dataset} must have patients here, got 0; ask again without this party")
    return schema.select(job.touched)


def _parsed(party: int, content: bytes) -> Schema:
    try:
        return Schema.model_validate_json(content)
    except ValidationError as error:
        raise GarbledError(party, "a codebook that cannot be read") from error


def _refuse_different(schema: Schema, known: dict[int, Schema], job: Job) -> None:
    mine = digests(schema, job.touched)
    for party, other in sorted(known.items()):
        if wrong := differing(mine, digests(other, job.touched)):
            raise MismatchError(
                f"all parties must have one codebook, got another from {job.participants[party]} in "
                f"{', '.join(wrong)}; agree on one codebook"
            )
