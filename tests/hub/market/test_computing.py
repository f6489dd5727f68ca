"""Computations that are bought: what is offered, paid out with the first answer, refunded if a hospital refuses, balanced."""

from types import SimpleNamespace
from typing import Any

import pytest

from assets import federated_orders
from assets.federated_orders import _Work
from assets.requests import Desk
from hub.catalogue.tables import Dataset
from hub.computations import service as computations
from hub.computations.checks import DescriptionError
from hub.computations.description import Description
from hub.delivery import orders
from hub.delivery.tables import Order
from hub.errors import GoneError, StateError
from hub.market import agreements, computing, disputes, fulfilment, listings, purchases
from hub.market.kinds import Kind
from hub.market.tables import Listing, Purchase
from hub.money import payouts
from hub.money.accounts import held, income, payable, receivable
from hub.money.ledger import balance
from hub.people.roles import Role
from hub.repository import vault
from hub.repository.tables import Artefact
from records.errors import BudgetError, ParameterError
from tests.hub.market.conftest import BY_BUDGET, DATASET, Market, packed

SERVICE = {"kinds": ["count", "histogram"], "epsilon": 1, "minimum_count": 10}
EACH = {"kind": "per_query", "cents": 10_000}
EXACT = (
    "Number of patients: exact answers, or with noise up to ε = 1.00 an order", "Means and variances: exact answers, without noise",
    "Synthetic table: with noise, up to ε = 1.00 an order", "Counts below 10 are suppressed.",
)  # fmt: skip
COUNT = Description(dataset_id=DATASET, purpose="e", kind="count")


@pytest.fixture
def agreement(market: Market, second: Any) -> Any:
    """On computations whose price two hospitals share, the hub keeping a tenth."""
    split = {"utility": "as agreed", "contributions": {market.holder.id: "2", second.id: "1"}, "commission": "0.1"}
    listing = market.list(kind=Kind.COMPUTATION, service=SERVICE, price=EACH, split=split)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    return market.agree(listing)


@pytest.fixture
def paid(market: Market, agreement: Any) -> Purchase:
    """Two orders, paid."""
    bought = market.buy(agreement, queries=2)
    market.pay(bought)
    return market.now(bought)


def ordered(market: Market, purchase: Purchase, wanted: Description = COUNT) -> Order:
    with market.as_caller(market.buyer) as caller:
        return computing.order(caller, purchase.id, wanted)


def answered(market: Market, order: Order) -> None:
    """As a run of the data side does."""
    with market.hub.database.write() as session:
        found = orders.begin(session, order.id, f"run-{order.id}", market.hub.clock())
        computations.must_still_allow(session, market.hub, found, market.hub.clock())
        orders.hand_over(session, market.hub, order.id, package=packed(market.folder), title="Answer", shown={},
                         now=market.hub.clock())  # fmt: skip


def refused(market: Market, order: Order) -> None:
    with market.hub.database.write() as session:
        orders.begin(session, order.id, f"run-{order.id}", market.hub.clock())
        computing.refused(session, market.hub, order.id, "hospital-b: not this column", market.hub.clock())


def standing(market: Market, second: Any) -> tuple[int, int, int, int]:
    """Held and payable of the second hospital, income of the hub, what the buyer owes."""
    market.balanced()
    with market.hub.database.read() as session:
        places = (held(second.id), payable(second.id), income(), receivable(market.buyer.id))
        return tuple(balance(session, place) for place in places)  # type: ignore[return-value]


def test_the_parties_are_paid_when_the_first_answer_is_there(market: Market, paid: Purchase, second: Any) -> None:
    assert (paid.state, paid.left, paid.cents) == ("paid", 2, 20_000)
    assert standing(market, second) == (-6_000, 0, -2_000, 0)  # paid by the buyer, held until it is computed
    order = ordered(market, paid)
    assert (order.kind, order.permit_id, order.purchase_id, market.now(paid).left) == ("mpc", "", paid.id, 1)
    answered(market, order)
    assert standing(market, second) == (0, -6_000, -2_000, 0)
    done = market.now(paid)
    assert (done.state, done.artefact_id is not None) == ("delivered", True)
    answered(market, ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20})))
    assert standing(market, second) == (0, -6_000, -2_000, 0)  # once
    with pytest.raises(StateError, match="a paid order must be left"):
        ordered(market, paid, COUNT.model_copy(update={"minimum_count": 30}))


def test_the_same_question_is_paid_once(market: Market, paid: Purchase) -> None:
    first = ordered(market, paid)
    assert ordered(market, paid).id == first.id
    answered(market, first)
    assert ordered(market, paid).id == first.id
    assert market.now(paid).left == 1
    other = ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20}))
    assert market.now(paid).left == 0
    assert [ordered(market, paid).id, ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20})).id] == [
        first.id,
        other.id,
    ]


@pytest.mark.parametrize("dead", ["destroyed", "expired", "used up"])
def test_an_answer_that_cannot_be_downloaded_is_asked_anew(market: Market, paid: Purchase, dead: str) -> None:
    first = ordered(market, paid)
    answered(market, first)
    with market.hub.database.write() as session:
        artefact = session.get_one(Artefact, session.get_one(Order, first.id).artefact_id)
        if dead == "destroyed":
            vault.destroy(session, artefact, reason="revoked", now=market.hub.clock(), actor="system")
        elif dead == "expired":
            artefact.expires_at = market.hub.clock()
        else:
            artefact.downloads_left = 0
    assert ordered(market, paid).id != first.id
    assert market.now(paid).left == 0
    with pytest.raises(StateError, match="a paid order must be left"):
        ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20}))


def test_the_same_question_is_checked_before_its_answer_is_given_back(
    market: Market, paid: Purchase, agreement: Any
) -> None:
    first = ordered(market, paid)
    answered(market, first)
    with market.hub.database.write() as session:
        listing = session.get_one(Listing, agreement.listing_id)
        listing.service = (listing.service or {}) | {"kinds": ["histogram"]}
    with pytest.raises(DescriptionError):
        ordered(market, paid)
    market.hub.clock.forward(days=400)  # type: ignore[attr-defined]
    with pytest.raises(GoneError):
        ordered(market, paid)


def test_a_refusal_before_the_first_answer_refunds(market: Market, paid: Purchase, second: Any, people: Any) -> None:
    refused(market, ordered(market, paid))
    found = market.now(paid)
    assert (found.state, found.reason, found.left) == ("cancelled", "a hospital refused the computation", 0)
    gross = standing(market, second)[3]
    assert standing(market, second)[:3] == (0, 0, 0)
    assert gross < -20_000  # with VAT, owed to the buyer
    with market.as_caller(people[Role.OPERATOR]) as caller:
        assert payouts.overpaid(caller) == {market.buyer.id: -gross}
        payouts.refund(caller, market.buyer.id, key="back")
    assert standing(market, second) == (0, 0, 0, 0)
    with pytest.raises(StateError):
        ordered(market, paid)


def test_a_refusal_after_an_answer_gives_the_order_back(market: Market, paid: Purchase, second: Any) -> None:
    answered(market, ordered(market, paid))
    refused(market, ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20})))
    found = market.now(paid)
    assert (found.state, found.left) == ("delivered", 1)
    assert standing(market, second) == (0, -6_000, -2_000, 0)


def test_a_refusal_while_another_is_computed_waits_for_it(market: Market, paid: Purchase, second: Any) -> None:
    one, other = ordered(market, paid), ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20}))
    refused(market, one)
    assert market.now(paid).state == "paid"
    refused(market, other)
    assert market.now(paid).state == "cancelled"
    assert standing(market, second)[:3] == (0, 0, 0)


def test_what_fails_by_itself_is_given_back_as_an_order(market: Market, paid: Purchase) -> None:
    order = ordered(market, paid)
    with market.hub.database.write() as session:
        orders.fail(session, order.id, "a line broke", market.hub.clock())
    assert (market.now(paid).state, market.now(paid).left) == ("paid", 2)


def cancelled(market: Market, order: Order, *, begun: bool) -> None:
    if begun:
        with market.hub.database.write() as session:
            orders.begin(session, order.id, f"run-{order.id}", market.hub.clock())
    with market.as_caller(market.buyer) as caller:
        orders.cancel(caller, order.id)


def test_an_order_that_is_cancelled_before_its_run_is_given_back(market: Market, paid: Purchase) -> None:
    cancelled(market, ordered(market, paid), begun=False)
    assert market.now(paid).left == 2
    refused(market, ordered(market, paid))
    assert market.now(paid).state == "cancelled"


def test_an_order_that_is_cancelled_in_its_run_is_used_up(market: Market, paid: Purchase, second: Any) -> None:
    cancelled(market, ordered(market, paid), begun=True)
    assert (market.now(paid).state, market.now(paid).left) == ("paid", 1)
    refused(market, ordered(market, paid, COUNT.model_copy(update={"minimum_count": 20})))  # the budget is gone
    assert (market.now(paid).state, market.now(paid).left) == ("paid", 1)
    assert standing(market, second) == (-6_000, 0, -2_000, 0)


@pytest.mark.parametrize("place", ["_must_be_left", "_answer"])
def test_a_budget_that_is_used_up_in_a_run_refunds(
    market: Market, paid: Purchase, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def spent(*_: Any) -> None:
        raise BudgetError("the debit must fit what is left, got more; ask for less")

    order, job = ordered(market, paid), SimpleNamespace(kind="count", participants=["a"], sha256="0" * 64, rho=1.0)
    desk = Desk(market.hub, order.id, "run")
    desk.begin()
    monkeypatch.setattr(federated_orders, "logged", lambda *_: lambda _: None)
    monkeypatch.setattr(_Work, "_must_be_left", lambda *_: None)
    monkeypatch.setattr(_Work, "_job", lambda _: job)
    monkeypatch.setattr(_Work, place, spent)
    with pytest.raises(BudgetError):
        _Work(SimpleNamespace(), desk, SimpleNamespace(), order).delivered()  # type: ignore[arg-type]
    assert (market.now(paid).state, market.now(order).state) == ("cancelled", "failed")


def test_what_is_never_asked_for_is_earned_when_the_agreement_is_over(
    market: Market, paid: Purchase, second: Any
) -> None:
    def swept() -> tuple[int, int, int, int]:
        with market.as_caller(None) as caller:
            purchases.lapse(caller)
        return standing(market, second)

    assert swept() == (-6_000, 0, -2_000, 0)
    market.hub.clock.forward(days=400)  # type: ignore[attr-defined]
    assert swept() == swept() == (0, -6_000, -2_000, 0)


@pytest.mark.parametrize(("end", "earned"), [("failed", False), ("open", False), ("used up", True), ("decided", True)])
def test_what_was_asked_in_vain_is_credited_when_the_agreement_is_over(
    market: Market, paid: Purchase, second: Any, end: str, earned: bool
) -> None:
    order = ordered(market, paid)
    if end in ("failed", "decided"):
        with market.hub.database.write() as session:
            orders.fail(session, order.id, "a line broke", market.hub.clock())
    elif end == "used up":
        cancelled(market, order, begun=True)
    if end == "decided":
        with market.as_caller(market.buyer) as caller:
            found = disputes.open_one(caller, paid.id, "Nothing was answered.").id
        with market.as_caller(market.people[Role.ARBITER]) as caller:
            disputes.release(caller, found, "It was asked wrongly.")
    market.hub.clock.forward(days=400)  # type: ignore[attr-defined]
    for _ in range(2):
        with market.as_caller(None) as caller:
            purchases.lapse(caller)
    bought = market.now(paid)
    assert (bought.state, bought.reason) == (("paid", None) if earned else ("cancelled", computing.UNANSWERED))
    assert standing(market, second)[:3] == ((0, -6_000, -2_000) if earned else (0, 0, 0))


def test_an_answer_to_an_order_that_ended_meanwhile_is_not_delivered(
    market: Market, paid: Purchase, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep credits a purchase while a late answer of it is stored."""
    order, deposit = ordered(market, paid), vault.deposit

    def meanwhile(session: Any, *given: Any, **named: Any) -> Artefact:
        orders.withdraw(session, order.id, "over", market.hub.clock())
        return deposit(session, *given, **named)

    monkeypatch.setattr(vault, "deposit", meanwhile)
    with pytest.raises(StateError, match="got one that has ended"):
        answered(market, order)
    assert market.now(paid).delivered_at is None
    assert standing(market, second) == (-6_000, 0, -2_000, 0)


def test_a_run_asks_whether_it_is_still_allowed(market: Market, paid: Purchase, agreement: Any) -> None:
    order = ordered(market, paid)
    with market.as_caller(market.holder) as caller:
        agreements.end_all(caller, market.holder.id, "left")
    with market.hub.database.read() as session, pytest.raises(GoneError):
        computations.must_still_allow(session, market.hub, order, market.hub.clock())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "moments", "columns": ["age"]}, "kind"), ({"epsilon": 2.0}, "epsilon"), ({"minimum_count": 5}, "minimum_count"),
        ({"purpose": "a"}, "purpose"), ({"kind": "histogram", "columns": ["weight"]}, "columns"), ({"dataset_id": "other"}, "dataset_id"),
    ],
)  # fmt: skip
def test_what_the_service_does_not_offer_is_refused(
    market: Market, paid: Purchase, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        ordered(market, paid, COUNT.model_copy(update=changes))
    assert field in caught.value.fields
    assert market.now(paid).left == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"service": {}}, {"service": SERVICE | {"kinds": ["sum"]}}, {"service": SERVICE | {"epsilon": 0}}, {"price": BY_BUDGET},
        {"service": SERVICE | {"synthesizer": "auto"}},
    ],
)  # fmt: skip
def test_a_service_that_is_not_well_formed_is_not_listed(market: Market, changes: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        market.list(**({"kind": Kind.COMPUTATION, "service": SERVICE, "price": EACH} | changes))


def of_images(market: Market) -> None:
    with market.hub.database.write() as session:
        session.get_one(Dataset, DATASET).modality = "CT"


def test_no_computation_of_images_is_listed_or_ordered(market: Market, paid: Purchase, browser: Any) -> None:
    holder, offered = browser(Role.HOLDER), f"compute:{DATASET}"
    assert offered in holder.get("/holder/market").text
    of_images(market)
    with pytest.raises(ParameterError, match="got one of images"):
        market.list(kind=Kind.COMPUTATION, service=SERVICE, price=EACH)
    with pytest.raises(ParameterError, match="got one of images"):
        ordered(market, paid)
    assert market.now(paid).left == 2
    assert offered not in holder.get("/holder/market").text


def test_a_synthesis_is_not_ordered_of_a_computation_and_the_other_way_round(market: Market, paid: Purchase) -> None:
    with market.as_caller(market.buyer) as caller, pytest.raises(StateError):
        fulfilment.order(caller, paid.id, rows=10)
    synthesis = market.buy(market.agree(market.list(price={"kind": "free"})), "s")
    with pytest.raises(StateError):
        ordered(market, market.now(synthesis))


def test_pages_from_listing_to_order(market: Market, browser: Any) -> None:
    holder, buyer = browser(Role.HOLDER), browser(Role.DEVELOPER)
    form = {
        "what": f"compute:{DATASET}",
        "title": "Counts",
        "price": "free",
        "purposes": "e",
        "months": "12",
        "automatic": "yes",
    }
    assert "kinds" in holder.submit("/holder/market", **form).text  # none was chosen
    holder.submit("/holder/market", **form, computations=["count", "histogram"], commission="2,5")
    page = buyer.get("/market", params={"kind": "computation"}).text
    assert "Counts" in page
    [listing] = [one["id"] for one in buyer.api("GET", "/market/listings").json()["items"] if one["title"] == "Counts"]
    assert "Number of patients; Histograms" in buyer.get(f"/market/listings/{listing}").text
    other = market.list(market.deposit()).id
    assert buyer.get("/market/compare", params={"id": [listing, other]}).status_code == 200
    with market.hub.database.read() as session:
        found = session.get_one(listings.Listing, listing)
    assert (found.split["commission"], found.split["basis"]) == ("0.025", "one holder earns all")
    bought = market.buy(market.agree(found))
    address = f"/market/purchases/{bought.id}"
    assert f"{address}/compute" in buyer.get(address).text
    choice = buyer.get(f"{address}/compute").text
    assert "Number of patients" in choice
    assert "Kaplan-Meier" not in choice
    assert (
        "must be at least" in buyer.submit(f"{address}/compute", kind="histogram", dataset_id=DATASET, purpose="e").text
    )
    asked = buyer.submit(f"{address}/compute", kind="count", dataset_id=DATASET, purpose="e", minimum_count="10")
    assert "Digest of the question" in asked.text
    assert buyer.api("GET", f"{address}/computations").status_code == 409  # the one order is placed
    assert "count" in buyer.get(address).text
    assert browser(Role.HOLDER).get(f"{address}/compute").status_code == 403


def test_pages_and_agreement_say_which_answers_are_exact(market: Market, browser: Any, second: Any) -> None:
    split = {"utility": "as agreed", "contributions": {market.holder.id: "1", second.id: "1"}}
    service = SERVICE | {"kinds": ["count", "moments", "synthesis"]}
    market.list(kind=Kind.COMPUTATION, price=EACH, service=service, split=split)  # waits for the second's consent
    sold = market.list(kind=Kind.COMPUTATION, price=EACH, service=service)
    agreed, other = market.agree(sold), market.list(market.deposit())
    buyer = browser(Role.DEVELOPER)
    comparison = f"/market/compare?id={sold.id}&id={other.id}"
    for page in (f"/market/listings/{sold.id}", comparison, f"/market/agreements/{agreed.id}"):
        assert all(words in buyer.get(page).text for words in EXACT)
    assert all(words in browser(second).get("/holder/market").text for words in EXACT)
    assert agreed.document["subject"]["service"]["answered_without_noise"] == "count, moments"
    facts = {one["id"]: one for one in buyer.api("GET", "/market/listings").json()["items"]}
    assert facts[sold.id]["exact_answers"] == ["count", "moments"]
