"""Tampering: every column of every table, removal, addition, exchange and a whole rewrite are found and located."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hub.deployment import Deployment
from hub.money import heads
from hub.money.accounts import income, payable, receivable
from hub.money.chain import GENESIS, entry_digest, transaction_digest
from hub.money.check import Verdict
from hub.money.ledger import post
from hub.money.notary import BooksHead, LocalNotary
from hub.money.tables import Account, Entry, Head, Transaction

Tampered = Callable[..., Verdict]


def test_untouched_books_are_intact(books: Deployment, tampered: Tampered) -> None:
    verdict = tampered()
    assert verdict.intact
    assert (verdict.transactions, verdict.entries, verdict.heads) == (30, 90, 2)


def column_names(table: Any) -> list[str]:
    return [column.name for column in table.__table__.columns]


@pytest.mark.parametrize("column", column_names(Transaction))
def test_a_changed_transaction_is_found_at_its_place(tampered: Tampered, column: str) -> None:
    value = {"number": "1000", "reverses": "3", "lines": "4"}.get(column, "'x'")
    verdict = tampered(f"UPDATE money_transactions SET {column} = {value} WHERE number = 7")
    assert verdict.faults
    assert verdict.faults[0].number == 7


@pytest.mark.parametrize("column", column_names(Entry))
def test_a_changed_entry_is_found_at_its_line(tampered: Tampered, column: str) -> None:
    value = {"number": "1000", "line": "9", "cents": "cents + 1", "account": f"'{income().id}'"}.get(column, "'x'")
    verdict = tampered(f"UPDATE money_entries SET {column} = {value} WHERE number = 7 AND line = 2")
    assert verdict.faults
    assert verdict.faults[0].number == 7
    assert verdict.faults[0].line in (2, 9)


@pytest.mark.parametrize("column", column_names(Account))
def test_a_changed_account_is_found(tampered: Tampered, column: str) -> None:
    place = payable("holder").id
    verdict = tampered(f"UPDATE money_accounts SET {column} = 'x' WHERE id = '{place}'")
    assert any(place in fault.row or fault.row == "account:x" for fault in verdict.faults)


@pytest.mark.parametrize("column", column_names(Head))
def test_a_changed_head_is_found_or_harmless(tampered: Tampered, column: str) -> None:
    value = {"size": "12", "root": f"'{'0' * 64}'", "at": "'2026-01-01T00:00:00.000000Z'", "peaks": "'[]'"}
    verdict = tampered(f"UPDATE money_heads SET {column} = {value.get(column, repr('0' * 128))} WHERE size = 10")
    assert verdict.intact == (column == "peaks")  # peaks only speed up the next head, which then is not signed


def test_a_removed_entry_is_found(tampered: Tampered) -> None:
    faults = tampered("DELETE FROM money_entries WHERE number = 7 AND line = 2").faults
    assert (faults[0].number, faults[0].line) == (7, 2)


def test_a_removed_last_entry_is_found(tampered: Tampered) -> None:
    faults = tampered("DELETE FROM money_entries WHERE number = 7 AND line = 3").faults
    assert (faults[0].number, faults[0].line) == (7, 3)


def test_a_removed_transaction_is_found(tampered: Tampered) -> None:
    faults = tampered("DELETE FROM money_transactions WHERE number = 7").faults
    assert {(fault.number, fault.reason) for fault in faults} >= {
        (7, "transactions are missing"), (7, "entries have no transaction")
    }  # fmt: skip
    gone = tampered("DELETE FROM money_entries WHERE number = 7").faults
    assert (gone[0].number, gone[0].until) == (7, 7)


def test_a_removed_account_is_found(tampered: Tampered) -> None:
    faults = tampered(f"DELETE FROM money_accounts WHERE id = '{payable('holder').id}'").faults
    assert (faults[0].number, faults[0].line) == (1, 2)


def test_a_cut_end_behind_a_head_is_found(tampered: Tampered) -> None:
    faults = tampered(
        "DELETE FROM money_entries WHERE number > 18", "DELETE FROM money_transactions WHERE number > 18"
    ).faults
    assert (faults[0].number, faults[0].until) == (19, 20)


def test_an_added_entry_is_found(tampered: Tampered) -> None:
    place, digest = income().id, entry_digest(7, 4, income().id, "EUR", 5)
    faults = tampered(f"INSERT INTO money_entries VALUES (7, 4, '{place}', 'EUR', 5, '{digest}')").faults
    assert {fault.number for fault in faults} == {7}
    assert any(fault.line == 4 for fault in faults)


def test_an_added_transaction_is_found(tampered: Tampered) -> None:
    faults = tampered(
        f"INSERT INTO money_transactions VALUES (31, 't', 'k', 'sale', 's', '', NULL, 0, '{GENESIS}', '{GENESIS}')"
    ).faults
    assert faults[0].number == 31


def test_exchanged_transactions_are_found(tampered: Tampered) -> None:
    moves = ((7, -7), (8, 7), (-7, 8))
    changes = [
        f"UPDATE {t} SET number = {b} WHERE number = {a}"
        for a, b in moves
        for t in ("money_transactions", "money_entries")
    ]
    assert {fault.number for fault in tampered(*changes).faults} == {7, 8}


def test_exchanged_lines_are_found(tampered: Tampered) -> None:
    changes = [
        f"UPDATE money_entries SET line = {b} WHERE number = 7 AND line = {a}" for a, b in ((1, -1), (2, 1), (-1, 2))
    ]
    assert [(fault.number, fault.line) for fault in tampered(*changes).faults] == [(7, 1), (7, 2)]


def rewritten(session: Any, number: int, *, on: bool = True) -> list[str]:
    """The statements of somebody who knows all digests and takes cents from ``number`` on."""
    former, statements = GENESIS, []
    at = sa.type_coerce(Transaction.at, sa.String)
    for row in session.scalars(sa.select(Transaction).order_by(Transaction.number)).all():
        digests = []
        for entry in session.scalars(sa.select(Entry).where(Entry.number == row.number).order_by(Entry.line)):
            cents = entry.cents + ({1: 5, 2: -5}.get(entry.line, 0) if row.number == number else 0)
            digests.append(entry_digest(row.number, entry.line, entry.account, entry.currency, cents))
            statements.append(f"UPDATE money_entries SET cents = {cents}, digest = '{digests[-1]}' "
                              f"WHERE number = {row.number} AND line = {entry.line}")  # fmt: skip
        stamp = session.scalar(sa.select(at).where(Transaction.number == row.number))
        values = (row.number, stamp, row.key, row.kind, row.subject, row.document, row.reverses, row.lines, former)
        digest = transaction_digest(values, digests)
        if on or row.number <= number:
            statements.append(
                f"UPDATE money_transactions SET former = '{former}', digest = '{digest}' WHERE number = {row.number}"
            )
        former = digest
    return statements


def test_a_replaced_transaction_with_right_digests_is_found(books: Deployment, tampered: Tampered) -> None:
    with books.database.read() as session:
        statements = rewritten(session, 25, on=False)
    assert tampered(*statements).faults[0].number == 25


def test_a_rewrite_of_everything_differs_from_a_stored_head(books: Deployment, tampered: Tampered) -> None:
    with books.database.read() as session:
        statements = rewritten(session, 15)
    faults = tampered(*statements).faults
    assert [(fault.number, fault.until) for fault in faults] == [(11, 20)]


def test_a_rewrite_of_everything_differs_from_a_kept_head(books: Deployment, tampered: Tampered) -> None:
    from hub.money.check import check

    notary = LocalNotary(books.keys)
    with books.database.write() as session:
        kept = BooksHead.model_validate(heads.sign(session, notary, books.clock()))
        statements = rewritten(session, 25)
    # The heads in the store go as well, so that only the kept one can tell.
    assert tampered(*statements, "DELETE FROM money_heads").intact
    with books.database.read() as session:
        faults = check(session, notary, [kept]).faults
    assert [(fault.number, fault.until) for fault in faults] == [(1, 30)]


def test_a_head_of_the_audit_log_is_no_head_of_the_books(books: Deployment) -> None:
    from hub.audit.head import Head as AuditHead

    with books.database.read() as session:
        head = heads.of_size(session, 10)
    foreign = AuditHead.signed(head.size, bytes.fromhex(head.root), head.at, books.keys.signing)
    assert not LocalNotary(books.keys).genuine(BooksHead.model_validate(foreign.model_dump()))


def test_no_head_is_signed_over_books_that_were_changed(books: Deployment, tampered: Tampered) -> None:
    tampered("UPDATE money_heads SET peaks = '[]' WHERE size = 20")
    with books.database.write() as session:
        assert heads.sign(session, LocalNotary(books.keys), books.clock()) is None


def test_the_store_refuses_changes(books: Deployment) -> None:
    for statement in (
        "UPDATE money_entries SET cents = 1", "DELETE FROM money_transactions", "UPDATE money_accounts SET name = 'x'",
        "INSERT OR REPLACE INTO money_transactions SELECT 99, at, key, kind, subject, document, reverses, lines, former, digest FROM money_transactions WHERE number = 3",
        "INSERT OR REPLACE INTO money_entries SELECT number, line, account, currency, cents + 1, digest FROM money_entries",
    ):  # fmt: skip
        with (
            books.database.write() as session,
            pytest.raises(sa.exc.DatabaseError, match=r"append-only|closed|complete"),
        ):
            session.execute(sa.text(statement))


def test_later_entries_are_still_booked_after_a_check(books: Deployment, tampered: Tampered) -> None:
    assert tampered().intact
    with books.database.write() as session:
        from hub.money.ledger import Posting

        post(session, Posting("more", "sale", "sale:more", ((receivable("p"), 5), (income(), -5))), now=books.clock())
    assert tampered().transactions == 31
