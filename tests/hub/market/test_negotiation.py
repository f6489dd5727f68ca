"""Negotiation against the Dataspace Protocol's table; agreements that anybody verifies, and tampering with them."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy.exc import DBAPIError

from hub.access import odrl
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.market import agreements, negotiation, protocol
from hub.market.agreement import verify_agreement
from hub.market.protocol import Side, State
from hub.market.tables import Agreement, Message, Negotiation
from hub.people.roles import Role
from records.errors import ParameterError
from tests.hub.market.conftest import BY_BUDGET, Market

# Written down from the protocol's text, apart from the code's table: state, sender, step, next state.
PROTOCOL = {
    ("OFFERED", "consumer", "request", "REQUESTED"), ("REQUESTED", "provider", "offer", "OFFERED"),
    ("OFFERED", "consumer", "accept", "ACCEPTED"), ("REQUESTED", "provider", "agree", "AGREED"),
    ("ACCEPTED", "provider", "agree", "AGREED"), ("AGREED", "consumer", "verify", "VERIFIED"),
    ("VERIFIED", "provider", "finalize", "FINALIZED"),
    *((state, side, "terminate", "TERMINATED") for state in ("REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED")
      for side in ("consumer", "provider")),
}  # fmt: skip
# What the protocol's schemas demand of each message.
REQUIRED = {
    "ContractRequestMessage": {"consumerPid", "offer", "callbackAddress"},
    "ContractOfferMessage": {"providerPid", "offer", "callbackAddress"},
    "ContractAgreementMessage": {"providerPid", "consumerPid", "agreement", "callbackAddress"},
    "ContractNegotiationEventMessage": {"providerPid", "consumerPid", "eventType"},
    "ContractAgreementVerificationMessage": {"providerPid", "consumerPid"},
    "ContractNegotiationTerminationMessage": {"providerPid", "consumerPid"},
}


def test_the_state_machine_is_the_protocols() -> None:
    found = {
        (str(state), str(side), step, str(protocol.after(state, step, side)))
        for state in State for side in Side for step in protocol.allowed(state, side)
    }  # fmt: skip
    assert found == PROTOCOL


@given(st.sampled_from(list(State)), st.sampled_from(list(Side)), st.sampled_from(sorted(protocol.TRANSITIONS)))
def test_everything_else_is_refused(state: State, side: Side, step: str) -> None:
    if not any((str(state), str(side), step) == one[:3] for one in PROTOCOL):
        with pytest.raises(StateError):
            protocol.after(state, step, side)


class Steps(RuleBasedStateMachine):
    """Any order of steps: a final state is never left, and nothing is in force before both have agreed and verified."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.path = State.REQUESTED, ["REQUESTED"]

    @rule(side=st.sampled_from(list(Side)), step=st.sampled_from(sorted(protocol.TRANSITIONS)))
    def take(self, side: Side, step: str) -> None:
        try:
            self.state = protocol.after(self.state, step, side)
        except StateError:
            return
        self.path.append(str(self.state))

    @invariant()
    def in_order(self) -> None:
        if "FINALIZED" in self.path:
            assert self.path[-3:] == ["AGREED", "VERIFIED", "FINALIZED"]
        assert "TERMINATED" not in self.path[:-1]


TestSteps = Steps.TestCase


def sent(market: Market, found: Negotiation) -> list[dict[str, Any]]:
    with market.hub.database.read() as session:
        query = sa.select(Message.document).where(Message.negotiation_id == found.id).order_by(Message.number)
        return list(session.scalars(query))


def test_haggling_ends_in_an_agreement_on_the_last_offer(market: Market) -> None:
    listing = market.list(market.deposit(), automatic=False)
    with market.as_caller(market.buyer) as caller:
        found = negotiation.request(caller, listing.id, terms={"months": 24}, cents=5000)
        assert negotiation.request(caller, listing.id).id == found.id
    with market.as_caller(market.holder) as caller:
        negotiation.counter(caller, found.id, cents=8000)
    with market.as_caller(market.holder) as caller, pytest.raises(StateError):
        negotiation.agree(caller, found.id)
    for who, step in ((market.buyer, negotiation.accept), (market.holder, negotiation.agree), (market.buyer, negotiation.verify),
                      (market.holder, negotiation.finalize)):  # fmt: skip
        with market.as_caller(who) as caller:
            step(caller, found.id)
    messages = sent(market, found)
    assert [one["@type"] for one in messages] == [
        "ContractRequestMessage", "ContractOfferMessage", "ContractNegotiationEventMessage", "ContractAgreementMessage",
        "ContractAgreementVerificationMessage", "ContractNegotiationEventMessage",
    ]  # fmt: skip
    for one in messages:
        assert REQUIRED[one["@type"]] <= set(one)
        assert one["@context"] == ["https://w3id.org/dspace/2025/1/context.jsonld"]
    assert messages[0]["offer"]["target"] == f"urn:phaseiv:listing:{listing.id}"
    document = messages[3]["agreement"]
    assert {"@id", "@type", "target", "timestamp", "assigner", "assignee", "permission"} <= set(document)
    assert (document["price"]["cents"], document["subject"]["offer"]["price"]["cents"]) == (8000, 8000)
    with market.hub.database.read() as session:
        made = session.scalars(sa.select(Agreement)).one()
        assert made.finalized_at is not None
        assert (made.valid_until.year, made.valid_until.month) == (2028, 11)  # 24 months
    told = verify_agreement(document, market.hub.keys.signing.public_key())
    assert told.assignee == odrl.person_iri(market.buyer.id)


def test_on_listed_terms_the_hub_agrees_on_behalf_of_the_holder(market: Market) -> None:
    made = market.agree(market.list(market.deposit()))
    assert made.finalized_at is not None
    steps = {one["party"]: one["step"] for one in made.document["acceptance"]}
    assert steps == {"assignee": "ContractRequestMessage", "assigner": "the listing's standing offer"}


def test_other_terms_wait_for_the_holder(market: Market) -> None:
    listing = market.list(market.deposit())
    with market.as_caller(market.buyer) as caller:
        assert negotiation.request(caller, listing.id, cents=1).state == State.REQUESTED


def test_a_price_by_budget_is_not_negotiated(market: Market) -> None:
    listing = market.list(price=BY_BUDGET)
    with market.as_caller(market.buyer) as caller, pytest.raises(ParameterError, match="negotiated"):
        negotiation.request(caller, listing.id, cents=1)


def test_nobody_else_sees_or_takes_a_step(market: Market, rival: Any, second: Any, browser: Callable[..., Any]) -> None:
    listing = market.list(market.deposit(), automatic=False)
    with market.as_caller(market.buyer) as caller:
        found = negotiation.request(caller, listing.id)
    for stranger in (rival, second):
        for step in (
            negotiation.accept,
            negotiation.agree,
            negotiation.verify,
            negotiation.finalize,
            negotiation.terminate,
        ):
            with market.as_caller(stranger) as caller, pytest.raises(NotFoundError):
                step(caller, found.id)
        assert browser(stranger).get(f"/market/negotiations/{found.id}").status_code == 404
        assert browser(stranger).api("GET", f"/market/negotiations/{found.id}").status_code == 404
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError):
        negotiation.agree(caller, found.id)
    own = market.agree(market.list(market.deposit(title="Other"), title="Other"))
    assert browser(rival).get(f"/market/agreements/{own.id}").status_code == 404
    assert browser(rival).get(f"/market/agreements/{own.id}/document").status_code == 404


def tampered(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document with one thing changed in each copy."""
    changes: list[Callable[[dict[str, Any]], object]] = [
        lambda d: d["price"].update(cents=1), lambda d: d.update(assignee="urn:uuid:x"), lambda d: d["split"].update(commission="0.3"),
        lambda d: d["acceptance"].pop(), lambda d: d["acceptance"].reverse(), lambda d: d.pop("proof"),
        lambda d: d["acceptance"][0].update(name="Somebody"), lambda d: d["permission"][0].update(action="distribute"),
        lambda d: d["subject"]["offer"]["price"].update(cents=1), lambda d: d.update(extra=1), lambda d: d["proof"].update(created="2020"),
    ]  # fmt: skip
    made = []
    for change in changes:
        one = copy.deepcopy(document)
        change(one)
        made.append(one)
    return made


def test_whatever_is_changed_in_an_agreement_is_found(market: Market) -> None:
    document = market.agree(market.list(market.deposit())).document
    key = market.hub.keys.signing.public_key()
    verify_agreement(document, key)
    verify_agreement(json.loads(json.dumps(document)), key)
    for one in tampered(document):
        with pytest.raises(ForbiddenError):
            verify_agreement(one, key)
    for nonsense in (None, [], "x", {}, {"@type": "Agreement"}, {"@type": "Agreement", "proof": {}}):
        with pytest.raises(ForbiddenError):
            verify_agreement(nonsense, key)


def test_an_agreement_signed_anew_with_another_key_is_refused(market: Market) -> None:
    document = market.agree(market.list(market.deposit())).document
    plain = {name: value for name, value in document.items() if name != "proof"}
    forged = odrl.sign(
        {**plain, "price": {"kind": "free", "currency": "EUR"}}, Ed25519PrivateKey.generate(), market.hub.clock()
    )
    for key in (market.hub.keys.signing.public_key(), None):
        with pytest.raises(ForbiddenError):
            verify_agreement(forged, key)


def test_the_holder_of_the_hubs_key_cannot_make_up_an_acceptance_of_another_offer(market: Market) -> None:
    """Signed with the right key, but what both accepted is another price than what is agreed."""
    document = market.agree(market.list(market.deposit())).document
    plain = {name: value for name, value in document.items() if name != "proof"}
    forged = odrl.sign({**plain, "price": {**plain["price"], "cents": 99}}, market.hub.keys.signing, market.hub.clock())
    with pytest.raises(ForbiddenError, match="both parties"):
        verify_agreement(forged, market.hub.keys.signing.public_key())


def test_an_agreement_put_in_the_place_of_another_is_refused_by_the_hub(market: Market) -> None:
    first = market.agree(market.list(market.deposit()))
    other = market.agree(market.list(market.deposit(title="Other"), title="Other", price={"kind": "free"}))
    with market.hub.database.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.update(Agreement).where(Agreement.id == first.id).values(document=other.document))
    with market.as_caller(market.buyer) as caller, pytest.raises(ForbiddenError):
        agreements.must_allow(caller, first.id, market.buyer.id)


def test_messages_cannot_be_changed_in_the_store(market: Market) -> None:
    market.agree(market.list(market.deposit()))
    for statement in ("UPDATE market_messages SET sender = 'x'", "DELETE FROM market_messages"):
        with pytest.raises(DBAPIError, match="append-only"), market.hub.database.write() as session:
            session.execute(sa.text(statement))


def test_pages_of_a_negotiation_and_its_verification(market: Market, browser: Callable[..., Any]) -> None:
    listing = market.list(market.deposit(), automatic=False)
    buyer, holder = browser(Role.DEVELOPER), browser(Role.HOLDER)
    page = buyer.submit(f"/market/listings/{listing.id}/negotiations", as_listed="yes")
    found = page.url.path.rsplit("/", 1)[-1]
    assert "ContractRequestMessage" in page.text
    bad = holder.submit(f"/market/negotiations/{found}/counter", months="24", amount="1.234")
    assert (bad.status_code, "at most 2 decimals" in bad.text) == (422, True)
    assert "signed" in holder.submit(f"/market/negotiations/{found}/steps/agree").text
    buyer.submit(f"/market/negotiations/{found}/steps/verify")
    page = holder.submit(f"/market/negotiations/{found}/steps/finalize")
    assert "in force" in page.text
    document = buyer.get(f"{page.url.path}/document").text
    assert "genuine" in buyer.submit("/market/verify", document=document).text
    assert buyer.submit("/market/verify", document=document.replace("10001", "10")).status_code == 422
    assert buyer.submit("/market/verify", document="[" * 10_000).status_code == 422
    assert buyer.api("GET", f"/market/negotiations/{found}").json()["state"] == "FINALIZED"
