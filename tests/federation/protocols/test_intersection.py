"""Patients at several sites: numbers against sets, and what the parties see."""

import asyncio
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from federation.errors import GarbledError
from federation.mesh import local_meshes
from federation.protocols.blinded import Blinding, receive_points, send_points
from federation.protocols.elligator import hash_to_curve
from federation.protocols.intersection import intersection
from federation.protocols.patients import TAG
from federation.runtime import Runtime
from federation.site import TableSite
from records.errors import ParameterError
from records.schema import Column, Kind, Role, Schema
from tests.federation.parties import a_job, computed, quiet_steps

COLUMNS = (
    Column(name="pseudonym", label="Pseudonym", role=Role.IDENTIFIER, kind=Kind.TEXT),
    Column(name="age", label="Age", role=Role.COVARIATE, kind=Kind.INTEGER, minimum=0, maximum=99),
)
SCHEMA = Schema(name="ward", title="Ward", columns=COLUMNS)


def _site(names: set[str] | list[str]) -> TableSite:
    table = pl.DataFrame({"pseudonym": sorted(names), "age": [50] * len(names)}, schema=SCHEMA.polars())
    return TableSite({"ward": (SCHEMA, table)})


@given(st.lists(st.sets(st.sampled_from([f"patient {i}" for i in range(12)]), min_size=1), min_size=3, max_size=4))
@settings(max_examples=15, deadline=None)
def test_numbers_are_those_of_the_sets(sets: list[set[str]]):
    job = a_job("intersection", parties=len(sets), minimum_count=0)
    result = computed(intersection, [_site(names) for names in sets], job)
    everybody = [name for names in sets for name in names]
    assert result["distinct"] == len(set(everybody))
    assert result["repeated"] == sum(everybody.count(name) > 1 for name in set(everybody))
    for pair in result["pairs"]:
        a, b = (job.participants.index(name) for name in pair["parties"])
        assert pair["patients"] == len(sets[a] & sets[b])


def test_small_numbers_are_suppressed_and_a_party_without_data_counts():
    first, second = {f"a{i}" for i in range(30)}, {f"a{i}" for i in range(24, 60)}
    sites = [_site(first), TableSite({}), _site(second), _site({f"b{i}" for i in range(20)})]
    result = computed(intersection, sites, a_job("intersection", parties=4, minimum_count=6))
    assert (result["distinct"], result["repeated"]) == (80, 6)
    # The other two would be told as 0 by the number of repeated patients.
    assert [pair["patients"] for pair in result["pairs"]] == [None, None, None]
    assert result["suppressed"] == [{"what": "3 of 5 numbers of patients", "why": "fewer than 6 patients"}]


def test_without_the_repeated_patients_the_distinct_ones_are_left_out_too():
    sites = [_site({f"{name}{i}" for i in range(30)}) for name in "abc"]
    result = computed(intersection, sites, a_job("intersection", minimum_count=6))
    assert (result["distinct"], result["repeated"]) == (None, None)


def test_no_message_holds_a_hash_that_can_be_tried_out():
    """Neither identifiers nor their unblinded points travel, and every list has the length of a power of two."""
    sets = [{f"patient{i}" for i in range(70)}, {f"patient{i}" for i in range(40, 100)}, {"c"}]
    job = a_job("intersection", minimum_count=0)
    meshes = local_meshes(3)

    async def everybody() -> None:
        runtimes = [Runtime(mesh, 1) for mesh in meshes]
        sites = [_site(names) for names in sets]
        await asyncio.gather(*(intersection(rt, sites[rt.index], job, quiet_steps(job, rt)) for rt in runtimes))

    asyncio.run(everybody())
    seen = [payload for mesh in meshes for _, _, payload in mesh.received if isinstance(payload, bytes)]
    assert not re.search(rb"patient\d", b"".join(part for part in seen if len(part) % 32 == 0 and len(part) > 32))
    sizes = {len(part) // 32 for part in seen if len(part) % 32 == 0 and len(part) > 32}
    assert sizes == {128, 64}
    points = {part[i : i + 32] for part in seen if len(part) % 32 == 0 for i in range(0, len(part), 32)}
    for name in ("patient50", "c"):
        point = hash_to_curve(
            f"{job.id}\n{name}".encode(), b"phaseiv-federation-V01-CS01-with-curve25519_XMD:SHA-512_ELL2_RO_"
        )
        assert point[0].to_bytes(32, "little") not in points


def test_points_of_low_order_and_broken_lists_name_their_sender():
    async def work(bad: bytes) -> None:
        one, two, _ = (Runtime(mesh, 1) for mesh in local_meshes(3))
        await two.mesh.send(0, TAG, (1).to_bytes(8, "big"))
        await two.mesh.send(0, TAG, bad)
        await receive_points(one, 1)

    for bad in (b"short", b"x" * 64):
        with pytest.raises(GarbledError) as error:
            asyncio.run(work(bad))
        assert error.value.peer == 1
    with pytest.raises(ValueError, match="shared key"):
        Blinding().applied([bytes(32)])


def test_the_next_party_cannot_tell_decoys_by_their_place(monkeypatch: pytest.MonkeyPatch):
    """The first list that a party gets, with the places at which the owner's decoys lie."""
    places: list[bool] = []
    plain = Blinding.hashed

    def spied(own: Blinding, identifiers: list[str | None], job: str) -> list[bytes]:
        places.extend(one is None for one in identifiers)
        return plain(own, identifiers, job)

    monkeypatch.setattr(Blinding, "hashed", spied)
    names = {f"a{i}" for i in range(200)}
    for _ in range(3):
        computed(intersection, [_site(names)] * 3, a_job("intersection"))
    decoys = np.flatnonzero(places) % 256
    assert len(decoys) == 9 * 56
    assert stats.kstest(decoys / 256, "uniform").pvalue > 1e-6


def test_lists_travel_in_parts():
    async def work() -> list[bytes]:
        one, two, _ = (Runtime(mesh, 1) for mesh in local_meshes(3))
        points = [i.to_bytes(32, "big") for i in range(5000)]
        _, got = await asyncio.gather(send_points(two, 0, points), receive_points(one, 1))
        assert one.mesh.received[1][2] != points  # type: ignore[attr-defined]
        return got

    assert asyncio.run(work()) == [i.to_bytes(32, "big") for i in range(5000)]


def test_data_without_an_identifier_cannot_be_intersected():
    bare = Schema(name="ward", title="Ward", columns=COLUMNS[1:])
    site = TableSite({"ward": (bare, pl.DataFrame({"age": [50]}, schema=bare.polars()))})
    with pytest.raises(ParameterError, match="must have an identifier"):
        computed(intersection, [site] * 3, a_job("intersection"))
