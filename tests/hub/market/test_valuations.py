"""Valuations and splits are one: a listing's numbers are those of a sealed valuation, or are told to be stated."""

import json
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from assets.market import deposit_valuation
from assets.workspace import Workspace
from hub.errors import ForbiddenError, NotFoundError, StateError
from hub.market import listings, valuations
from hub.market.agreement import verify_agreement
from hub.market.sharing import Basis, Split, read_split, sole
from hub.market.tables import Listing, Valuation
from hub.people.roles import Role
from hub.valuation.contribution import Terms, valued
from hub.valuation.sealed import Sealed, read_sealed, seal
from records.errors import ParameterError
from tests.hub.market.conftest import DATASET, Market
from tests.hub.valuation.people import holding, of_nobody, patients, shuffled
from use_cases.registry import discover

QUALITY = {"hospital_a": 1.0, "hospital_b": 0.5, "hospital_c": 1.0}


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    """Two hospitals that are paid, and one with outcomes in random order."""
    held = {"hospital_a": holding(patients(1, 100)), "hospital_b": holding(patients(2, 60)),
            "hospital_c": holding(shuffled(patients(3, 60), 1))}  # fmt: skip
    terms = Terms(permutations=99, alike=24, floor=Decimal("0.1"))
    found = valued(held, of_nobody(1), terms, np.random.default_rng(0), QUALITY)
    made = seal(found, use_case="stroke", cohort="copenhagen", versions=dict.fromkeys(held, "ab" * 32),
                registered=dict.fromkeys(held, 0.0), seed=0)  # fmt: skip
    assert {one.holder: one.state for one in made.holders}["hospital_c"] != "paid"
    assert {name: Fraction(0) for name in held} | found.shares == made._parts()  # the valuation's and the split's
    return made


@pytest.fixture
def third(market: Market, people: dict[Role, Any], as_caller: Any) -> Any:
    from hub.people import accounts

    with market.hub.database.write() as session:
        return accounts.create(session, now=market.hub.clock(), email="third@example.org", name="Third hospital",
                               roles=frozenset({Role.HOLDER}), password=None)  # fmt: skip


@pytest.fixture
def accounts(market: Market, second: Any, third: Any) -> dict[str, str]:
    return {"hospital_a": market.holder.id, "hospital_b": second.id, "hospital_c": third.id}


@pytest.fixture
def source(market: Market, sealed: Sealed, accounts: dict[str, str]) -> str:
    return f"valuation:{handed_over(market, sealed.plain, accounts).sha256}"


def handed_over(market: Market, document: Any, accounts: dict[str, str]) -> Valuation:
    with market.hub.database.write() as session:
        return valuations.deposit(
            session, document, dataset_id=DATASET, accounts=accounts, now=market.hub.clock()
        )  # fmt: skip


def test_a_document_reads_back_and_follows_from_itself(sealed: Sealed) -> None:
    again = read_sealed(json.loads(json.dumps(sealed.plain)))
    assert again == sealed
    assert again.sha256 == sealed.sha256
    assert "hospital_b brought 60 records" in again.words["hospital_b"]["en"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["holders"][1].update(counted="9"), "counted"), (lambda d: d["holders"][1].update(share="0.9"), "shares"),
        (lambda d: d["holders"][2].update(state="paid"), "counted"), (lambda d: d.update(utility="mine"), "utility"),
        (lambda d: d["words"]["hospital_a"].update(en="All is yours."), "words"), (lambda d: d["versions"].popitem(), "version"),
        (lambda d: d["holders"][0].update(quality="1.5"), "quality"), (lambda d: d["terms"].update(floor="0.5"), "shares"),
        (lambda d: d.pop("total"), "total"), (lambda d: d.update(extra=1), "extra"),
    ],
)  # fmt: skip
def test_numbers_that_do_not_follow_are_refused(sealed: Sealed, change: Any, told: str) -> None:
    document = deepcopy(sealed.plain)
    change(document)
    with pytest.raises(ParameterError, match=told):
        read_sealed(document)


def test_a_listing_takes_its_numbers_from_the_valuation(
    market: Market, sealed: Sealed, source: str, second: Any, third: Any, accounts: dict[str, str]
) -> None:
    listing = market.list(market.deposit(), split={"source": source, "commission": "0.05"})
    split = read_split(listing.split)
    assert (split.basis, split.source, split.utility, split.floor) == (
        Basis.MEASURED, source, sealed.utility, Decimal("0.1"),
    )  # fmt: skip
    assert split.quality[accounts["hospital_b"]] == Decimal("0.5")
    shares = split.shares()
    measured = {line.holder: line.share for line in sealed.holders}
    for name, account in accounts.items():
        assert float(shares[account]) == pytest.approx(0.95 * float(measured[name]), abs=1e-9)
    assert shares[third.id] == 0
    for one in (second, third):
        with market.as_caller(one) as caller:
            listings.consent(caller, listing.id)
    agreement = market.agree(market.now(listing))
    verify_agreement(agreement.document)
    assert agreement.document["split"]["source"] == source
    assert agreement.document["split"]["basis"] == "measured by a valuation"
    assert not exact_numbers(sealed) & numbers_in(agreement.document)
    bought = market.buy(agreement)
    assert bought.shares == split.divide(10_001)
    assert sum(bought.shares.values()) == 10_001
    market.balanced()


def exact_numbers(sealed: Sealed) -> set[str]:
    """Every figure of a holder in the valuation that is not 0 or 1."""
    lines = [line.model_dump(mode="json") for line in sealed.holders]
    return {str(line[name]) for line in lines for name in ("worth", "counted", "credited", "quality", "share")} - {
        "0",
        "1",
    }


def numbers_in(document: Any) -> set[str]:
    if isinstance(document, dict):
        return set().union(*map(numbers_in, document.values()), document)
    return set().union(*map(numbers_in, document)) if isinstance(document, list) else {str(document)}


def test_no_holders_number_leaves_with_an_offer_or_shows_to_a_buyer(
    market: Market, sealed: Sealed, source: str, second: Any, third: Any, browser: Any, accounts: dict[str, str]
) -> None:
    listing = market.list(market.deposit(), split={"source": source, "commission": "0.05"})
    for one in (second, third):
        with market.as_caller(one) as caller:
            listings.consent(caller, listing.id)
    anybody, exact = browser(Role.DEVELOPER), exact_numbers(sealed)
    assert exact & numbers_in(listing.split)
    offer = anybody.get(f"/market/listings/{listing.id}/offer").json()
    told = anybody.api("GET", f"/market/listings/{listing.id}").json()
    assert offer["split"] == told["offer"]["split"] == {
        "utility": sealed.utility, "basis": "measured by a valuation", "source": source, "floor": "0.1", "commission": "0.05",
        "holders": 3,
    }  # fmt: skip
    assert not exact & (numbers_in(offer) | numbers_in(told))
    agreement = market.agree(market.now(listing))
    page = browser(Role.DEVELOPER).get(f"/market/agreements/{agreement.id}").text
    assert "Floor 10.0 %, hub 5.0 %; 3 holders." in page
    bought = market.buy(agreement)
    address = f"/market/purchases/{bought.id}"
    share = 100 * bought.shares[market.holder.id] / bought.cents
    seen, own = browser(Role.DEVELOPER).get(address).text, browser(Role.HOLDER).get(address).text
    assert f"{share:.0f} %</td>" in seen
    assert f"{share:.2f} %" not in seen
    assert f"{share:.2f} %" in own
    assert browser(second).get(f"/market/agreements/{agreement.id}").status_code == 200


def test_a_split_that_was_changed_in_the_store_divides_nothing(market: Market, source: str, second: Any) -> None:
    given = {"utility": "as we like", "contributions": {market.holder.id: "3", second.id: "1"}}
    listing = market.list(market.deposit(), split=given)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    agreement = market.agree(market.now(listing))
    other = listing.split | {"contributions": {market.holder.id: "1", second.id: "0"}}
    with market.hub.database.write() as session:
        session.get_one(Listing, listing.id).split = other
    with pytest.raises(ForbiddenError, match="that was agreed"):
        market.buy(agreement)
    with market.hub.database.write() as session:
        session.get_one(Listing, listing.id).split = listing.split
    assert market.buy(agreement).shares == {market.holder.id: 7501, second.id: 2500}


@pytest.mark.parametrize(
    "other", [{"utility": "as we like"}, {"contributions": None}, {"source": "valuation:" + "0" * 64}]
)
def test_a_split_that_names_a_valuation_has_its_words_and_numbers_whenever_it_is_used(
    market: Market, source: str, second: Any, third: Any, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    """Also where the audit log holds no digest of the split, as of listings of earlier versions."""
    listing = market.list(market.deposit(), split={"source": source})
    for one in (second, third):
        with market.as_caller(one) as caller:
            listings.consent(caller, listing.id)
    monkeypatch.setattr("hub.market.agreements.DRAFTED", "of an earlier version")
    agreement, changed = market.agree(market.now(listing)), listing.split | other
    changed["contributions"] = changed["contributions"] or {market.holder.id: "1", second.id: "1", third.id: "1"}
    with market.hub.database.write() as session:
        session.get_one(Listing, listing.id).split = changed
        monkeypatch.setattr(Split, "told", lambda _: agreement.document["split"])
    with pytest.raises(ForbiddenError, match="that was agreed"):
        market.buy(agreement)
    with pytest.raises(ForbiddenError, match="that was agreed"):
        market.agree(market.now(listing))
    with market.hub.database.write() as session:
        session.get_one(Listing, listing.id).split = listing.split
    assert sum(market.buy(agreement).shares.values()) == 10_001


def test_a_valuation_in_the_words_of_an_earlier_version_still_divides(
    market: Market, sealed: Sealed, source: str, second: Any, third: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = market.list(market.deposit(), split={"source": source})
    for one in (second, third):
        with market.as_caller(one) as caller:
            listings.consent(caller, listing.id)
    monkeypatch.setattr("hub.valuation.sealed._words", lambda _: "in other words")
    monkeypatch.setattr("hub.valuation.sealed.explained", lambda *_: "in other words")
    with pytest.raises(ParameterError, match="utility"):
        read_sealed(sealed.plain)
    agreement = market.agree(market.now(listing))
    assert agreement.document["split"]["utility"] == sealed.utility
    assert sum(market.buy(agreement).shares.values()) == 10_001


def test_an_agreement_of_an_earlier_version_still_divides(
    market: Market, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"utility": "as we like", "contributions": {market.holder.id: "3", second.id: "1"}}
    listing = market.list(market.deposit(), split=given)
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    with monkeypatch.context() as earlier:
        earlier.setattr(Split, "told", Split.plain)
        agreement = market.agree(market.now(listing))
    assert "contributions" in agreement.document["split"]
    assert market.buy(agreement).shares == {market.holder.id: 7501, second.id: 2500}


@pytest.mark.parametrize(
    "wrong",
    [
        {"floor": "0.2"}, {"utility": "AUC"}, {"quality": {}}, {"basis": "stated by the holders, not measured"},
        {"commission": "0.9"}, {"contributions": {}},
    ],
)  # fmt: skip
def test_numbers_that_differ_from_the_valuation_are_refused(market: Market, source: str, wrong: dict[str, Any]) -> None:
    made = market.deposit()
    with pytest.raises(ParameterError):
        market.list(made, split={"source": source} | wrong)
    same = market.list(made, split={"source": source})
    again = market.list(made, split=same.split)  # all of them, as they are, fit
    assert again.split == same.split


def test_contributions_that_differ_by_one_cent_are_refused(market: Market, source: str) -> None:
    made = market.deposit()
    given = dict(market.list(made, split={"source": source}).split)
    given["contributions"] = given["contributions"] | {market.holder.id: "0.5"}
    with pytest.raises(ParameterError, match="numbers of its valuation"):
        market.list(made, split=given)


def test_an_unknown_or_foreign_valuation_is_no_source(market: Market, source: str) -> None:
    made = market.deposit()
    with pytest.raises(NotFoundError):
        market.list(made, split={"source": "valuation:" + "0" * 64})
    with pytest.raises(ParameterError, match="leave it out"):
        market.list(made, split={"source": "terms:abc", "contributions": {market.holder.id: "1"}})
    with pytest.raises(ParameterError, match="basis"):
        market.list(made, split={"basis": "measured by a valuation", "contributions": {market.holder.id: "1"}})


def test_a_stated_split_is_told_to_be_stated(market: Market, second: Any, browser: Any) -> None:
    given = {"utility": "as we like", "contributions": {market.holder.id: "3", second.id: "1"}}
    listing = market.list(market.deposit(), split=given)
    assert listing.split["basis"] == "stated by the holders, not measured"
    with market.as_caller(second) as caller:
        listings.consent(caller, listing.id)
    agreement = market.agree(market.now(listing))
    assert agreement.document["split"]["basis"] == "stated by the holders, not measured"
    page = browser(Role.DEVELOPER).get(f"/market/listings/{listing.id}").text
    assert "stated by the holders, not measured" in page
    assert (
        "stated by the holders, not measured" in browser(Role.DEVELOPER).get(f"/market/agreements/{agreement.id}").text
    )
    assert "stated by the holders, not measured" in browser(Role.HOLDER).get("/holder/market").text
    assert sole(market.holder.id).basis == Basis.ALONE


def test_handing_over_is_checked_and_done_once(
    market: Market, sealed: Sealed, accounts: dict[str, str], source: str
) -> None:
    handed_over(market, sealed.plain, accounts)
    with market.hub.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Valuation)) == 1
    turned = dict(zip(accounts, reversed(accounts.values()), strict=True))
    with pytest.raises(StateError, match="once"):
        handed_over(market, sealed.plain, turned)
    two = accounts | {"hospital_b": accounts["hospital_a"]}
    for wrong in ({}, {"hospital_a": market.holder.id}, two, accounts | {"hospital_c": market.buyer.id}):
        with pytest.raises(ParameterError, match="account"):
            handed_over(market, sealed.plain, wrong)
    with pytest.raises(StateError, match="another cohort"):
        handed_over(market, sealed.model_copy(update={"cohort": "other"}).plain, accounts)
    with market.hub.database.write() as session, pytest.raises(IntegrityError, match="append-only"):
        session.execute(sa.update(Valuation).values(accounts=turned))


def test_the_data_side_hands_over_what_it_has_sealed(
    market: Market, sealed: Sealed, accounts: dict[str, str], second: Any, third: Any, tmp_path: Path
) -> None:
    workspace, stroke = Workspace(tmp_path), discover()["stroke"]
    emails = {"hospital_a": market.holder.email, "hospital_b": second.email.upper(), "hospital_c": third.email}
    with pytest.raises(ParameterError, match="stroke_valuation first"):
        deposit_valuation(workspace, market.hub, stroke, DATASET, emails)
    kept = workspace.report(["stroke", "valuation"])
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"sha256": sealed.sha256, "valuation": sealed.plain}))
    assert deposit_valuation(workspace, market.hub, stroke, DATASET, emails) == sealed.sha256
    with market.hub.database.read() as session:
        assert session.get_one(Valuation, sealed.sha256).accounts == accounts
    with pytest.raises(ParameterError, match="account must be that of a holder"):
        deposit_valuation(workspace, market.hub, stroke, DATASET, emails | {"hospital_c": "nobody@example.org"})
    kept.write_text(json.dumps({"sha256": "0" * 64, "valuation": sealed.plain}))
    with pytest.raises(ParameterError, match="as it was sealed"):
        deposit_valuation(workspace, market.hub, stroke, DATASET, emails)


def test_each_holder_sees_its_share_in_words_and_as_a_picture(
    market: Market, sealed: Sealed, source: str, browser: Any, accounts: dict[str, str]
) -> None:
    holder, address = browser(Role.HOLDER), f"/holder/valuations/{sealed.sha256}"
    page = holder.get(address)
    assert page.status_code == 200
    assert sealed.words["hospital_a"]["en"] in page.text.replace("&#39;", "'")
    assert sealed.words["hospital_a"]["fi"] in holder.get(address, headers={"accept-language": "fi"}).text
    picture = holder.get(f"{address}/share.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert address in holder.get("/holder/market").text
    assert browser(Role.DEVELOPER).get(address).status_code == 403
    with market.as_caller(market.people[Role.HOLDER]) as caller:
        assert valuations.mine(caller, sealed.sha256)[1] == "hospital_a"
        with pytest.raises(NotFoundError):
            valuations.mine(caller, "0" * 64)
