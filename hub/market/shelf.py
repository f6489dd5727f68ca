"""Finding and comparing listings.

Belongs here: search, facets, the frontier of accuracy against price. Does not belong here: a listing's life (``listings``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.caller import Caller
from hub.catalogue.record import DatasetRecord
from hub.catalogue.search import words_of
from hub.catalogue.tables import Dataset
from hub.errors import HubError
from hub.market import budget, cohort_budget, goods
from hub.market.kinds import Kind
from hub.market.listings import live, terms_of
from hub.market.prices import ByBudget, read_price
from hub.market.services import DELTA, read_compute, read_service
from hub.market.tables import Goods, Listing
from records.accounting import epsilon_to_rho
from records.errors import BudgetError

PAGE, MOST_WORDS, MOST_COMPARED = 20, 8, 4
ACCURACY = "tstr_auc"
FACETS: dict[str, Callable[[Listing], Sequence[str]]] = {
    "kind": lambda one: [one.kind],
    "price": lambda one: [one.price["kind"]],
    "purpose": lambda one: one.terms["purposes"],
    "territory": lambda one: [one.terms["territory"]],
    "redistribution": lambda one: ["true" if one.terms["redistribution"] else "false"],
}


@dataclass(frozen=True)
class Found:
    """One page of a search, and how many listings each value of a facet would leave."""

    items: list[Listing]
    total: int
    page: int
    facets: dict[str, dict[str, int]]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class Point:
    """What a buyer may expect: accuracy at an epsilon, and what it costs now (``None``: no budget is left for it)."""

    epsilon: float
    rho: float
    accuracy: float
    cents: int | None


@dataclass(frozen=True)
class View:
    """A listing with what its page shows."""

    listing: Listing
    dataset: Dataset
    record: DatasetRecord
    goods: Goods | None
    points: list[Point]
    budget_left: float | None
    cohort: cohort_budget.Standing | None


def search(session: Session, text: str = "", facets: Mapping[str, str] | None = None, page: int = 1) -> Found:
    """Listings whose words fit, newest first."""
    query = sa.select(Listing).where(Listing.state == "listed")
    for word in words_of(text)[:MOST_WORDS]:
        query = query.where(Listing.words.contains(word, autoescape=True))
    fits = list(session.scalars(query.order_by(Listing.listed_at.desc(), Listing.id)))
    chosen = {name: value for name, value in (facets or {}).items() if name in FACETS and value}
    shown = [one for one in fits if _meets(one, chosen)]
    return Found(shown[(page - 1) * PAGE : page * PAGE], len(shown), page, _counts(fits, chosen))


def view(caller: Caller, listing_id: str) -> View:
    """One listing that may be bought now, with sample, label, frontier and budget."""
    listing = live(caller.session, listing_id, caller.now)
    dataset = caller.session.get_one(Dataset, listing.dataset_id)
    there = caller.session.get(Goods, listing.goods_id) if listing.goods_id else None
    price = read_price(listing.price)
    left = float(budget.left(caller.session, dataset.id, price, caller.now)) if isinstance(price, ByBudget) else None
    record = DatasetRecord.model_validate(dataset.record)
    cohort = cohort_budget.standing(caller.session, dataset.id, caller.now) if listing.service else None
    return View(listing, dataset, record, there, frontier(caller, listing), left, cohort)


def compare(caller: Caller, listing_ids: Sequence[str]) -> list[View]:
    """Up to ``MOST_COMPARED`` listings side by side; what has ended meanwhile is left out."""
    found: list[View] = []
    for one in list(dict.fromkeys(listing_ids))[:MOST_COMPARED]:
        try:
            found.append(view(caller, one))
        except HubError:
            continue
    return found


def frontier(caller: Caller, listing: Listing) -> list[Point]:
    """Accuracy expected against price: what the holder states, and what was measured of released goods."""
    delta = read_service(listing.service).delta if listing.kind == Kind.SYNTHESIS else DELTA
    points = {round(epsilon, 6): accuracy for epsilon, accuracy in listing.frontier}
    for one in goods.of_dataset(caller.session, listing.dataset_id):
        figures = one.facts.get("figures") or {}
        if (epsilon := one.facts.get("epsilon")) and (accuracy := figures.get(ACCURACY)) is not None:
            points[round(float(epsilon), 6)] = round(float(accuracy), 2)
    return [_point(caller, listing, epsilon, accuracy, delta) for epsilon, accuracy in sorted(points.items())]


def facts(listing: Listing) -> dict[str, Any]:
    """A listing as plain values."""
    computes = listing.kind == Kind.COMPUTATION
    exact = {"exact_answers": list(read_compute(listing.service or {}).exact)} if computes else {}
    return exact | {
        "id": listing.id, "dataset_id": listing.dataset_id, "kind": listing.kind, "title": listing.title,
        "description": listing.description, "terms": terms_of(listing).model_dump(mode="json"), "price": listing.price,
        "service": listing.service, "automatic": listing.automatic, "state": listing.state,
        "utility": listing.split["utility"], "listed_at": listing.listed_at.isoformat() if listing.listed_at else None,
    }  # fmt: skip


def _point(caller: Caller, listing: Listing, epsilon: float, accuracy: float, delta: float) -> Point:
    rho, price = epsilon_to_rho(epsilon, delta), read_price(listing.price)
    cents: int | None = price.cost() if price.kind in ("free", "fixed") else listing.price.get("cents")  # type: ignore[call-arg]
    if isinstance(price, ByBudget):
        try:
            cents = price.cost(rho, budget.used(caller.session, listing.dataset_id, caller.now))
        except BudgetError:
            cents = None
    return Point(epsilon, rho, accuracy, cents)


def _meets(listing: Listing, chosen: Mapping[str, str]) -> bool:
    return all(value in FACETS[name](listing) for name, value in chosen.items())


def _counts(fits: Sequence[Listing], chosen: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Values of each facet with the others kept."""
    counted: dict[str, dict[str, int]] = {}
    for name, values in FACETS.items():
        others = {key: value for key, value in chosen.items() if key != name}
        counts = Counter(value for one in fits if _meets(one, others) for value in values(one))
        counted[name] = dict(counts.most_common())
    return counted
