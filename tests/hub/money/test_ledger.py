"""Posting: what is refused, what is booked once, two writers, Postgres, and random operations that always balance."""

import subprocess
import sys
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.database.engine import Database
from hub.deployment import Deployment
from hub.errors import NotFoundError, StateError
from hub.money import books, heads
from hub.money.accounts import bank, held, income, payable, paying, receivable
from hub.money.check import check
from hub.money.ledger import Posting, balance, post, post_many, reverse
from hub.money.notary import LocalNotary
from hub.money.tables import Entry, Transaction
from records.errors import ParameterError

WRITER = """
import sys
from datetime import UTC, datetime
from hub.database.engine import Database
from hub.money.accounts import income, receivable
from hub.money.ledger import Posting, post

database = Database(sys.argv[1])
for number in range(40):
    with database.write() as session:
        entries = ((receivable("p"), 5), (income(), -5))
        post(session, Posting(f"{sys.argv[2]}:{number}", "sale", "s:1", entries), now=datetime.now(UTC))
        post(session, Posting(f"shared:{number}", "sale", "s:1", entries), now=datetime.now(UTC))
"""


def sale(key: str, cents: int = 100) -> Posting:
    return Posting(key, "sale", f"sale:{key}", ((receivable("p"), cents), (income(), -cents)))


@pytest.fixture(params=["hub", "on_postgres"])
def store(request: pytest.FixtureRequest) -> Deployment:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    "entries",
    [
        ((receivable("p"), 1),), ((receivable("p"), 1), (income(), -2)), (), ((receivable("p"), 0), (income(), 0)),
        ((receivable("p"), 1), (income("hub", "SEK"), -1)), ((receivable("p"), 1.0), (income(), -1.0)),
        ((receivable("p"), True), (income(), -1)), ((receivable("p"), 10**14), (income(), -(10**14))),
    ],
)  # fmt: skip
def test_what_does_not_balance_is_refused_by_the_code(entries: Any) -> None:
    with pytest.raises(ParameterError):
        Posting("k", "sale", "s:1", entries)


def test_unknown_currencies_are_refused() -> None:
    with pytest.raises(ParameterError, match="currency"):
        receivable("p", "XXX")


def test_what_does_not_balance_is_refused_by_the_store(store: Deployment) -> None:
    with store.database.write() as session:
        post(session, sale("a"), now=store.clock())
    place = income().id
    entry = f"INSERT INTO money_entries VALUES ({{}}, {{}}, '{place}', 'EUR', {{}}, 'd')"
    closing = "INSERT INTO money_transactions VALUES (2, 't', 'k', 'k', 's', '', NULL, {}, 'f', 'd')"
    for statements in (
        [entry.format(2, 1, 5), entry.format(2, 2, -4), closing.format(2)],
        [entry.format(2, 1, 5), entry.format(2, 2, -5), closing.format(3)],
        [closing.format(0)], [entry.format(1, 3, 5)], [entry.format(2, 1, 0)], [entry.format(2, 1, 5)],
        ["UPDATE money_entries SET cents = 1"], ["DELETE FROM money_transactions"],
    ):  # fmt: skip

        def run(statements: list[str] = statements) -> None:
            with store.database.write() as session:
                for statement in statements:
                    session.execute(sa.text(statement))

        with pytest.raises(sa.exc.DatabaseError):
            run()
    with store.database.read() as session:
        assert check(session, LocalNotary(store.keys)).intact


def test_a_key_is_booked_once(store: Deployment) -> None:
    with store.database.write() as session:
        assert post_many(session, [sale("a"), sale("b"), sale("a")], now=store.clock()) == [1, 2, 1]
        assert post(session, sale("a"), now=store.clock()) == 1
        assert balance(session, income()) == -200
        with pytest.raises(StateError, match="used for another"):
            post(session, sale("a", 101), now=store.clock())
        with pytest.raises(StateError, match="used for another"):
            post_many(session, [sale("c"), sale("c", 7)], now=store.clock())


def test_taking_back_once(store: Deployment) -> None:
    with store.database.write() as session:
        post(session, sale("a"), now=store.clock())
        number = reverse(session, 1, key="back", kind="refund", now=store.clock())
        assert reverse(session, 1, key="back", kind="refund", now=store.clock()) == number
        assert balance(session, income()) == 0
        with pytest.raises(StateError, match="once"):
            reverse(session, 1, key="again", kind="refund", now=store.clock())
        with pytest.raises(NotFoundError):
            reverse(session, 9, key="none", kind="refund", now=store.clock())


def test_heads_and_reports(store: Deployment) -> None:
    notary = LocalNotary(store.keys)
    with store.database.write() as session:
        post_many(session, [sale(str(n), n) for n in range(1, 8)], now=store.clock())
        heads.sign(session, notary, store.clock())
        post(
            session,
            Posting("x", "sale", "s:x", ((receivable("p", "SEK"), 7), (income("hub", "SEK"), -7))),
            now=store.clock(),
        )
        assert heads.sign(session, notary, store.clock()) is not None
        assert heads.sign(session, notary, store.clock()) is None
        assert books.totals(books.trial_balance(session)) == {"EUR": (28, 28), "SEK": (7, 7)}
        movements = books.statement(session, receivable("p").id)
        assert [(one.cents, one.balance) for one in movements[:2]] == [(7, 28), (6, 21)]
        assert len("".join(books.as_csv(session)).splitlines()) == 17
        verdict = check(session, notary)
    assert verdict.intact
    assert verdict.heads == 2


@pytest.mark.parametrize("name", ["hub", "on_postgres"])
def test_two_writers_at_once(request: pytest.FixtureRequest, name: str) -> None:
    store: Deployment = request.getfixturevalue(name)
    url = store.database.engine.url.render_as_string(hide_password=False)
    both = [subprocess.Popen([sys.executable, "-c", WRITER, url, who]) for who in ("one", "two")]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    with Database(url).read() as session:
        assert check(session, LocalNotary(store.keys)).intact
        assert session.scalar(sa.select(sa.func.count()).select_from(Transaction)) == 120


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["sale", "refund", "hold", "release", "payout", "paid"]), st.integers(1, 10**6), st.integers(0, 9)),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPERATIONS)
def test_random_operations_balance(hub: Deployment, operations: list[tuple[str, int, int]]) -> None:
    pairs = {
        "hold": (payable("h"), held("h")), "release": (held("h"), payable("h")), "payout": (payable("h"), paying("h")),
        "paid": (paying("h"), bank()),
    }  # fmt: skip
    with hub.database._writers() as session:  # rolled back at the end: each example begins anew
        for at, (kind, cents, which) in enumerate(operations):
            if kind == "refund":
                numbers = session.scalars(sa.select(Transaction.number).where(Transaction.reverses.is_(None))).all()
                free = set(numbers) - set(session.scalars(sa.select(Transaction.reverses)).all())
                if free:
                    reverse(session, sorted(free)[which % len(free)], key=f"k{at}", kind=kind, now=hub.clock())
                continue
            entries = ((receivable("p"), cents), (payable("h"), -cents + cents // 7), (income(), -(cents // 7)))
            if kind in pairs:
                entries = ((pairs[kind][0], cents), (pairs[kind][1], -cents))
            post(session, Posting(f"k{at}", kind, "s:1", entries), now=hub.clock())
        sums = books.totals(books.trial_balance(session))
        assert all(debit == credit for debit, credit in sums.values())
        assert (session.scalar(sa.select(sa.func.sum(Entry.cents))) or 0) == 0
        assert check(session, LocalNotary(hub.keys)).intact
