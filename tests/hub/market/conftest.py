"""A hub with a published data set, a package that passed the gate, billing details, and steps of a sale."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.catalogue import service as catalogue
from hub.catalogue.record import Agent, DatasetRecord, Distribution, Label, Sample, Variable
from hub.deployment import Deployment
from hub.market import goods, listings, negotiation, purchases
from hub.market.kinds import Kind
from hub.market.listings import Draft
from hub.market.tables import Agreement, Listing, Purchase
from hub.money import parties
from hub.money.check import check
from hub.money.gateway import Receipt
from hub.money.notary import LocalNotary
from hub.money.payouts import receive
from hub.money.tables import Invoice
from hub.people import accounts
from hub.people.roles import Role
from hub.people.tables import Person
from hub.repository.package import pack

DATASET = "stroke"
CANDIDATE = hashlib.sha256(b"the synthetic table").hexdigest()
HUB = {
    "name": "Health Data Hub",
    "city": "Helsinki",
    "country": "FI",
    "vat_id": "FI20774740",
    "iban": "FI2112345600000785",
}
BUYER = {"name": "Models Oy", "country": "FI", "iban": "FI1410093000123458"}
TERMS = {"purposes": ["e"], "months": 12, "acknowledgement": "Example Hospital"}
FIXED = {"kind": "fixed", "cents": 10_001}
BY_BUDGET = {"kind": "by_budget", "total_rho": "0.5",
             "steps": [{"share": "0", "cents_per_rho": 100_000}, {"share": "0.5", "cents_per_rho": 300_000}]}  # fmt: skip


def record() -> DatasetRecord:
    agent = Agent(name="Example Hospital", email="data@example.org")
    return DatasetRecord(
        title="Stroke registry", description="Patients with acute stroke.", identifier="urn:test:stroke",
        applicable_legislation=["http://data.europa.eu/eli/reg/2025/327/oj"], keywords=["stroke"], themes=["HEAL"],  # type: ignore[list-item]
        types=["PERSONAL_DATA"], health_categories=["a"], provenance="A registry.", contact=agent, publisher=agent,
        access_body=agent, variables=[Variable(name="age", label="Age", datatype="integer")], records=100, individuals=100,
        distributions=[Distribution(title="Ask", access_url="http://127.0.0.1:8000/catalogue/stroke/request", format="CSV")],  # type: ignore[arg-type]
        label=Label(documentation={"source": "registry"}, technical_quality={"completeness": "98 %"}),
        sample=Sample(columns=["age"], rows=[[61], [72]], candidate_sha256=CANDIDATE),
    )  # fmt: skip


def verdict(**changes: Any) -> dict[str, Any]:
    return {"released": True, "candidate_sha256": CANDIDATE, "reasons": []} | changes


def packed(folder: Path, candidate: str = CANDIDATE, **more: bytes) -> Path:
    files = {"manifest.json": b'{"candidate_sha256": "%s"}' % candidate.encode(), "synthetic.csv": b"age\n61\n72\n"}
    return pack({**files, **{name.replace("_", "."): data for name, data in more.items()}}, folder / "goods.zip")


@pytest.fixture
def second(hub: Deployment) -> Person:
    """Another holder, who earns by the same listings."""
    with hub.database.write() as session:
        return accounts.create(session, now=hub.clock(), email="second@example.org", name="Second hospital",
                               roles=frozenset({Role.HOLDER}), password=None)  # fmt: skip


@pytest.fixture
def rival(hub: Deployment) -> Person:
    """Another buyer."""
    with hub.database.write() as session:
        return accounts.create(session, now=hub.clock(), email="rival@example.org", name="Rival",
                               roles=frozenset({Role.DEVELOPER}), password=None)  # fmt: skip


class Market:
    """Steps of a sale, each in its own transaction."""

    def __init__(
        self, hub: Deployment, people: dict[Role, Person], as_caller: Callable[..., Any], folder: Path
    ) -> None:
        self.hub, self.people, self.as_caller, self.folder = hub, people, as_caller, folder
        self.buyer, self.holder = people[Role.DEVELOPER], people[Role.HOLDER]

    def open(self) -> "Market":
        """The data set, the hub's and the buyer's billing details."""
        with self.as_caller(self.holder) as caller:
            catalogue.draft(caller, DATASET, record(), use_case="stroke", cohort="copenhagen")
            catalogue.publish(caller, DATASET)
        with self.as_caller(self.people[Role.OPERATOR]) as caller:
            parties.save(caller, parties.read(HUB), party="hub")
        self.bills(self.buyer)
        return self

    def bills(self, person: Person, **details: Any) -> None:
        with self.as_caller(person) as caller:
            parties.save(caller, parties.read(BUYER | details))

    def deposit(self, **changes: Any) -> str:
        given: dict[str, Any] = {
            "package": changes.get("package") or packed(self.folder), "dataset_id": DATASET, "kind": Kind.TABLE, "title": "Synthetic stroke",
            "formats": ["csv"], "gate": verdict(), "now": self.hub.clock(),
            "facts": {"rows": 2, "epsilon": 1.0, "figures": {"tstr_auc": 0.7123}, "report": "<h1>R</h1>"},
        }  # fmt: skip
        with self.hub.database.write() as session:
            return goods.deposit(session, self.hub, **(given | changes)).id

    def list(self, goods_id: str | None = None, price: Any = FIXED, **changes: Any) -> Listing:
        kind = Kind.TABLE if goods_id else Kind.SYNTHESIS
        draft = Draft(dataset_id=DATASET, kind=kind, goods_id=goods_id, title="Synthetic stroke patients", terms=TERMS, price=price,
                      automatic=True)  # fmt: skip
        with self.as_caller(self.holder) as caller:
            return listings.create(caller, Draft(**(vars(draft) | changes)))

    def agree(self, listing: Listing, buyer: Person | None = None) -> Agreement:
        """Negotiate on the listed terms, which the hub agrees to at once."""
        buyer = buyer or self.buyer
        with self.as_caller(buyer) as caller:
            made = negotiation.request(caller, listing.id)
        with self.as_caller(buyer) as caller:
            negotiation.verify(caller, made.id)
        with self.hub.database.read() as session:
            return session.scalars(sa.select(Agreement).where(Agreement.negotiation_id == made.id)).one()

    def buy(self, agreement: Agreement, key: str = "k", buyer: Person | None = None, **amount: Any) -> Purchase:
        with self.as_caller(buyer or self.buyer) as caller:
            return purchases.place(caller, agreement.id, key=key, **amount)

    def pay(self, purchase: Purchase, cents: int | None = None) -> None:
        """The bank tells of a payment with the invoice's reference."""
        with self.as_caller(self.people[Role.OPERATOR]) as caller:
            invoice = caller.session.get_one(Invoice, purchase.invoice_id)
            amount = invoice.gross if cents is None else cents
            receive(
                caller,
                [Receipt(f"{purchase.id}:{amount}", amount, "EUR", self.hub.clock().date(), invoice.reference or "")],
            )
            purchases.settle_paid(caller)

    def now(self, one: Any) -> Any:
        """A row as the store has it now."""
        with self.hub.database.read() as session:
            return session.get_one(type(one), one.id)

    def balanced(self) -> int:
        """The number of transactions, after every row was looked at."""
        with self.hub.database.read() as session:
            verdict = check(session, LocalNotary(self.hub.keys))
            assert verdict.intact, verdict.faults
            return verdict.transactions


@pytest.fixture
def market(hub: Deployment, people: dict[Role, Person], as_caller: Callable[..., Any], tmp_path: Path) -> Market:
    return Market(hub, people, as_caller, tmp_path).open()
