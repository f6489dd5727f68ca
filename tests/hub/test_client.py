"""The Python client against a hub: five lines from search to table, checksums, retries, refusals in words."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi.testclient import TestClient

from hub import client as module
from hub.access import offers
from hub.catalogue.service import draft, publish
from hub.client import Hub, HubAnswerError
from hub.delivery import orders
from hub.delivery.tables import Order, OrderState
from hub.deployment import Deployment
from hub.people.roles import Role
from hub.repository import vault
from hub.repository.package import pack
from hub.web.application import build
from records.errors import ParameterError, StorageError
from tests.hub.catalogue.test_healthdcat import record

FORM = {
    "applicant": "Ada", "functions": "AI developer", "purposes": ["e"], "intended_use": "Train a classifier.",
    "safeguards": "Nobody is re-identified.", "declarations": list("abcde"), "formats": ["parquet"],
}  # fmt: skip
TABLE = pl.DataFrame({"age": [70, 61], "sex": ["f", "m"]})


@pytest.fixture
def remote(hub: Deployment, people: dict[Role, Any], browser: Callable[..., Any], as_caller: Callable[..., Any]) -> Hub:
    """A client of a hub with one data set and a standing offer."""
    with as_caller(people[Role.HOLDER]) as holder:
        draft(holder, "stroke-set", record(keywords=["stroke"]), use_case="stroke", cohort="copenhagen")
        publish(holder, "stroke-set")
        offer = offers.propose(
            holder, "stroke-set", synthesizer="auto", epsilon=1.0, max_rows=1000, purposes=["e"], formats=["parquet"],
            valid_until=hub.clock().replace(year=2027),
        )  # fmt: skip
    with as_caller(people[Role.HEAD]) as head:
        offers.approve(head, offer.id)
    token = browser(Role.DEVELOPER).headers["Authorization"].removeprefix("Bearer ")
    return Hub("http://testserver", token, verbose=False, transport=TestClient(build(hub))._transport)


@pytest.fixture
def data_side(hub: Deployment, tmp_path: Path) -> Callable[[], None]:
    """Works off the one order that waits, as a Dagster run does."""

    def work() -> None:
        with hub.database.write() as session:
            (order,) = orders.waiting(session)
            orders.begin(session, order.id, "run", hub.clock())
            buffer = io.BytesIO()
            TABLE.write_parquet(buffer)
            files = {"synthetic.parquet": buffer.getvalue(), "LICENCE": b"for research"}
            package = pack(files, tmp_path / "p.zip")
            orders.hand_over(session, hub, order.id, package=package, title="T", shown={"rows": 2}, now=hub.clock())

    return work


def test_five_lines_to_a_table(remote: Hub, data_side: Callable[[], None], tmp_path: Path, hub: Deployment) -> None:
    found = remote.search("stroke")
    assert "stroke-set" in repr(found)
    assert "<td>stroke-set</td>" in found._repr_html_()
    request = remote.request("stroke-set", form=FORM, rows=100)
    assert request.facts["state"] == "granted"
    assert request.order["state"] == "queued"
    data_side()
    artefact = request.wait().get(tmp_path)
    assert artefact.polars().equals(TABLE)
    assert artefact.pandas().shape == (2, 2)
    assert artefact.licence == "for research"
    assert remote.status(request.id).order["state"] == "ready"


def test_a_failed_order_is_told(remote: Hub, hub: Deployment) -> None:
    request = remote.request("stroke-set", form=FORM, rows=100)
    with hub.database.write() as session:
        orders.fail(session, request.order["id"], "the gate refused the table: too few rows", hub.clock())
    with pytest.raises(ParameterError, match="too few rows"):
        request.wait()


def test_the_same_request_twice_is_one_order(remote: Hub, hub: Deployment) -> None:
    one, other = (remote.request("stroke-set", form=FORM, rows=100) for _ in range(2))
    assert one.id == other.id
    with hub.database.read() as session:
        assert session.query(Order).count() == 1


def test_refusals_come_in_words(remote: Hub) -> None:
    with pytest.raises(HubAnswerError, match="must be in the catalogue") as caught:
        remote.dataset("unknown")
    assert caught.value.status == 404
    with pytest.raises(HubAnswerError, match="open points"):
        remote.request("stroke-set", form={"purposes": ["e"]})
    stranger = Hub("http://testserver", "p4_wrong", verbose=False, transport=remote._http._transport)
    with pytest.raises(HubAnswerError, match="signed in"):
        stranger.artefacts()


def test_a_request_beyond_the_offer_waits_for_people(remote: Hub) -> None:
    request = remote.request("stroke-set", form=FORM, rows=5000)
    assert request.facts["state"] != "granted"
    with pytest.raises(ParameterError, match="granted by rule"):
        request.wait()


def test_damage_on_the_way_is_found(
    remote: Hub, data_side: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = remote.request("stroke-set", form=FORM, rows=100)
    data_side()
    monkeypatch.setattr(module, "_pause", lambda _: 0.0)
    whole = module._shown
    monkeypatch.setattr(module, "_shown", lambda parts, *_: (b"x" + p[1:] for p in whole(parts, 0, False)))
    with pytest.raises(StorageError, match="sha256"):
        request.wait().get(tmp_path)
    assert not list(tmp_path.glob("*.part"))
    monkeypatch.setattr(module, "_shown", whole)
    assert request.get(tmp_path).polars().equals(TABLE)


def test_a_busy_hub_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [httpx.Response(503), httpx.Response(429, headers={"retry-after": "0"}), httpx.Response(200, json=[])]
    monkeypatch.setattr(module, "_pause", lambda _: 0.0)
    busy = Hub("http://hub", "t", verbose=False, transport=httpx.MockTransport(lambda _: answers.pop(0)))
    assert busy.artefacts() == []
    assert not answers


def test_orders_are_final(remote: Hub, hub: Deployment, data_side: Callable[[], None]) -> None:
    request = remote.request("stroke-set", form=FORM, rows=100)
    data_side()
    with hub.database.write() as session:
        assert not orders.fail(session, request.order["id"], "late", hub.clock())
        assert session.get_one(Order, request.order["id"]).state == OrderState.READY
    assert vault.place(hub, remote.artefacts()[0]["id"]).exists()
