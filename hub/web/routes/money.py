"""The books for operators and auditors; invoices and billing details for those concerned.

Belongs here: HTTP. Does not belong here: rules (``hub.money``).
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session

from hub.audit.heads import public_key
from hub.audit.log import record
from hub.caller import Caller
from hub.market import purchases
from hub.money import books, heads, invoices, matching, parties, payouts, pdf, returns, ubl
from hub.money.accounts import HUB
from hub.money.camt import LARGEST_FILE
from hub.money.notary import LocalNotary
from hub.money.sepa import BankTransfer
from hub.money.tables import Invoice
from hub.people.roles import EVERYONE, Role
from hub.web.access import PageCaller, Routes
from hub.web.language import chosen_language, translator
from hub.web.pages import plain_form, redirect, render
from records.errors import ParameterError

READERS = frozenset({Role.OPERATOR, Role.AUDITOR})
OPERATOR = frozenset({Role.OPERATOR})
FIELDS = ("name", "street", "postal_code", "city", "country", "vat_id", "company_id", "iban", "bic")
routes = Routes("money")


@routes.page("/books", roles=READERS)
def trial_balance(request: Request, caller: PageCaller) -> Response:
    """Trial balance, exports, payouts and statements."""
    standings = books.trial_balance(caller.session)
    return render(
        request, "money_books.html.j2", standings=standings, totals=books.totals(standings), head=heads.newest(caller.session),
        operator=caller.has(Role.OPERATOR), owed=payouts.owed(caller),
        unknown=matching.unknown(caller.session), overpaid=payouts.overpaid(caller), now=caller.now, day=f"{caller.now:%Y-%m-%d}",
    )  # fmt: skip


@routes.page("/books/check", roles=READERS)
def check(request: Request, caller: PageCaller) -> Response:
    """Look at every row now."""
    verdict = books.check(caller.session, LocalNotary(caller.hub.keys))
    return render(request, "money_check.html.j2", verdict=verdict, now=caller.now)


@routes.page("/books/accounts/{account}", roles=READERS)
def statement(
    request: Request, caller: PageCaller, account: str, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """An account's entries, newest first."""
    found = books.account(caller.session, account)
    return render(
        request, "money_account.html.j2", account=found, movements=books.statement(caller.session, account, before)
    )


@routes.page("/books/export.csv", roles=READERS)
def export_csv(caller: PageCaller) -> Response:
    """Every entry as CSV."""
    return _exported(caller, "csv", "text/csv", books.as_csv)


@routes.page("/books/export.json", roles=READERS)
def export_json(caller: PageCaller) -> Response:
    """Every entry, the heads and the public key as JSON."""
    key = public_key(caller.hub.keys)
    return _exported(caller, "json", "application/json", lambda session: books.as_json(session, key, caller.now))


@routes.form("/books/heads", roles=READERS)
def sign(request: Request, caller: PageCaller) -> Response:
    """Sign the present state."""
    made = heads.sign(caller.session, LocalNotary(caller.hub.keys), caller.now)
    return redirect(request, "/books", "The present state is signed." if made else "Nothing new could be signed.")


@routes.form("/books/payouts", roles=OPERATOR)
async def pay(request: Request, caller: PageCaller) -> Response:
    """Order all payouts in one file."""
    key = plain_form(await request.form()).get("key", "")
    if not key:
        raise ParameterError("a payout must have a key, got none; reload the page and send it again")
    made = payouts.order(caller, key=key[:100])
    return redirect(request, f"/books/payouts/{made[0].file}", "The payouts are ordered.")


@routes.page("/books/returned", roles=OPERATOR)
def not_taken(request: Request, caller: PageCaller) -> Response:
    """Payouts on their way and those that the bank gave back."""
    return render(request, "money_returned.html.j2", cases=returns.cases(caller))


@routes.form("/books/returned/{payout}", roles=OPERATOR)
def gave_back(request: Request, caller: PageCaller, payout: str) -> Response:
    """Book that the bank did not carry a payout out."""
    payouts.returned(caller, payout)
    return redirect(request, "/books/returned", "The payout is booked as given back; the amount is owed again.")


@routes.form("/books/returned/{payout}/again", roles=OPERATOR)
def pay_again(request: Request, caller: PageCaller, payout: str) -> Response:
    """Order anew, to the corrected account."""
    made = returns.again(caller, payout)
    return redirect(request, f"/books/payouts/{made[0].file}", "The payouts are ordered.")


@routes.page("/books/payouts/{file}", roles=OPERATOR)
def payment_file(caller: PageCaller, file: str) -> Response:
    """The file for the bank (pain.001)."""
    return _attached(payouts.file_of(caller, file, BankTransfer()), "application/xml", f"pain.001-{file[:8]}.xml")


@routes.form("/books/statements", roles=OPERATOR)
async def receive(request: Request, caller: PageCaller, statement: UploadFile) -> Response:
    """Book what the bank tells (camt.053)."""
    own = parties.known(caller, HUB)
    payouts.receive(caller, BankTransfer().read(await statement.read(LARGEST_FILE + 1), own))
    purchases.settle_paid(caller)
    return redirect(request, "/books", "The statement is booked.")


@routes.form("/books/matches", roles=OPERATOR)
async def match(request: Request, caller: PageCaller) -> Response:
    """Book a receipt without a known reference to the invoice it pays."""
    form = plain_form(await request.form())
    matching.match(caller, form.get("subject", ""), form.get("number", ""))
    purchases.settle_paid(caller)
    return redirect(request, "/books", "The payment is matched.")


@routes.form("/books/refunds", roles=OPERATOR)
async def refund(request: Request, caller: PageCaller) -> Response:
    """Order to pay back what somebody paid too much."""
    form = plain_form(await request.form())
    payer, key = form.get("payer", ""), form.get("key", "")
    if not key or payer not in payouts.overpaid(caller):
        raise ParameterError("a refund must have a payer who paid too much, got another; reload the page")
    made = payouts.refund(caller, payer, key=f"{key[:100]}:{payer}")
    return redirect(request, f"/books/payouts/{made[0].file}", "The refund is ordered.")


@routes.page("/invoices", roles=EVERYONE)
def listed(request: Request, caller: PageCaller) -> Response:
    """The caller's invoices and credit notes."""
    found = [(one, invoices.open_amount(caller.session, one)) for one in invoices.mine(caller)]
    return render(request, "money_invoices.html.j2", found=found)


@routes.page("/invoices/{invoice}", roles=EVERYONE)
def shown(request: Request, caller: PageCaller, invoice: str) -> Response:
    """One invoice: lines, VAT, what is open, and how it is shared."""
    found = invoices.visible(caller, invoice)
    return render(
        request, "money_invoice.html.j2", invoice=found, document=invoices.document_of(found), mine=_share(caller, found),
        open_amount=0 if found.credits else invoices.open_amount(caller.session, found),
    )  # fmt: skip


@routes.page("/invoices/{invoice}/pdf", roles=EVERYONE)
def as_pdf(request: Request, caller: PageCaller, invoice: str) -> Response:
    """To read and print, in the reader's language."""
    found, language = invoices.visible(caller, invoice), chosen_language(request)
    made = pdf.pdf(invoices.document_of(found), translator(language), language)
    return _attached(made, "application/pdf", f"{found.number}.pdf")


@routes.page("/invoices/{invoice}/ubl", roles=EVERYONE)
def as_ubl(caller: PageCaller, invoice: str) -> Response:
    """EN 16931 in UBL 2.1."""
    found = invoices.visible(caller, invoice)
    return _attached(ubl.xml(invoices.document_of(found)), "application/xml", f"{found.number}.xml")


@routes.page("/billing", roles=EVERYONE)
def billing(request: Request, caller: PageCaller, hub: bool = False) -> Response:
    """The caller's billing details; with ``hub``, an operator's view of the hub's."""
    party = HUB if hub and caller.has(Role.OPERATOR) else caller.somebody.id
    found = parties.of(caller, party)
    written: dict[str, Any] = found.model_dump() if found else {name: "" for name in FIELDS}
    return _form(request, caller, written, hub=party == HUB)


@routes.form("/billing", roles=EVERYONE)
async def keep(request: Request, caller: PageCaller) -> Response:
    """Keep billing details."""
    form = plain_form(await request.form())
    written, hub = {name: form.get(name, "") for name in FIELDS}, form.get("hub") == "yes"
    try:
        details = parties.read({**written, "country": written["country"].upper()})
    except ParameterError as error:
        return _form(request, caller, written, hub=hub, wrong=str(error))
    parties.save(caller, details, party=HUB if hub else None)
    return redirect(request, "/billing" + ("?hub=true" if hub else ""), "Your billing details are kept.")


@routes.call("GET", "/books/check", roles=READERS)
def check_call(caller: PageCaller) -> dict[str, Any]:
    """Look at every row now."""
    return books.plain(books.check(caller.session, LocalNotary(caller.hub.keys)))


@routes.call("GET", "/books/trial-balance", roles=READERS)
def trial_balance_call(caller: PageCaller) -> list[dict[str, Any]]:
    """All accounts with their standing."""
    return [vars(one) for one in books.trial_balance(caller.session)]


@routes.call("GET", "/invoices", roles=EVERYONE)
def invoices_call(caller: PageCaller) -> list[dict[str, Any]]:
    """The caller's invoices and credit notes."""
    return [
        {"id": one.id, "number": one.number, "gross": one.gross, "currency": one.currency, "credits": one.credits,
         "issued_on": one.issued_on.isoformat(), "open": invoices.open_amount(caller.session, one)}
        for one in invoices.mine(caller)
    ]  # fmt: skip


def _form(request: Request, caller: Caller, written: dict[str, Any], *, hub: bool, wrong: str = "") -> Response:
    return render(
        request, "money_billing.html.j2", status=422 if wrong else 200, written=written, wrong=wrong, of_hub=hub,
        operator=caller.has(Role.OPERATOR), refused=returns.asks_for_another_account(caller, HUB if hub else caller.somebody.id),
    )  # fmt: skip


def _share(caller: Caller, invoice: Invoice) -> int | None:
    """What the caller earns of it; other payees' shares are not shown."""
    return invoices.document_of(invoice).shares.get(caller.somebody.id)


def _exported(caller: Caller, ending: str, kind: str, parts: Callable[[Session], Iterator[str]]) -> Response:
    caller.session.close()  # one connection a request: two at once could wait for each other
    hub, now = caller.hub, caller.now
    with hub.database.write() as session:
        record(session, now=now, actor=caller.somebody.id, action="books.exported", subject="books:all", format=ending)

    def pieces() -> Iterator[str]:
        with hub.database.read() as session:
            yield from parts(session)

    name = f'attachment; filename="books-{now:%Y-%m-%d}.{ending}"'
    return StreamingResponse(pieces(), media_type=kind, headers={"Content-Disposition": name})


def _attached(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
