"""An invoice or credit note as a PDF to read and print, in the reader's language.

Belongs here: the layout. Does not belong here: the words' translation, which the caller gives; the legal form, which is the XML.

Made with reportlab, which sets tables over pages and keeps text as text; a plotting library's PDF would be a picture to be laid
out by hand. The font is DejaVu Sans, which has Latin, Greek and Cyrillic letters.
"""

import io
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from hub.money.currency import written
from hub.money.invoice import Document
from hub.money.parties import Party

Say = Callable[[str], str]
FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 56  # points, about 2 cm
WIDTHS = (225, 90, 65, 100)


def pdf(document: Document, say: Say = str, language: str = "en") -> bytes:
    """The document as PDF; the same document gives the same bytes."""
    from reportlab.platypus import SimpleDocTemplate, Spacer

    _fonts()
    target = io.BytesIO()
    title = f"{say('Credit note' if document.kind == 'credit_note' else 'Invoice')} {document.number}"
    page = SimpleDocTemplate(
        target, title=title, author=document.seller.name, lang=language, invariant=1,
        leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
    )  # fmt: skip
    write = _Words(say, language)
    parts = [
        write.text(title, size=17, bold=True), Spacer(1, 14), write.parties(document), Spacer(1, 14), write.facts(document),
        Spacer(1, 14), write.lines(document), Spacer(1, 10), *write.reasons(document),
    ]  # fmt: skip
    page.build(parts)
    return target.getvalue()


class _Words:
    """Parts of the page in one language."""

    def __init__(self, say: Say, language: str) -> None:
        self.say, self.language = say, language

    def text(self, words: str, *, size: float = 9.5, bold: bool = False, right: bool = False) -> Any:
        """A paragraph; letters that are markup to reportlab are escaped."""
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph

        style = ParagraphStyle(
            "p", fontName=BOLD if bold else FONT, fontSize=size, leading=size * 1.35, alignment=2 if right else 0
        )
        return Paragraph(escape(words), style)

    def day(self, value: date | None) -> str:
        """A day as people write it."""
        if value is None:
            return "–"
        return f"{value.day}.{value.month}.{value.year}" if self.language == "fi" else f"{value:%-d %B %Y}"

    def money(self, cents: int, currency: str) -> str:
        """An amount with its currency."""
        text = written(cents, currency)
        return f"{text.replace('.', ',') if self.language == 'fi' else text} {currency}"

    def parties(self, document: Document) -> Any:
        """Seller and buyer side by side."""
        return _table([[self._party("Seller", document.seller), self._party("Buyer", document.buyer)]], (240, 240))

    def facts(self, document: Document) -> Any:
        """Number, days and how to pay."""
        facts = [("Number", document.number), ("Issued", self.day(document.issued_on))]
        if document.due_on:
            facts.append(("Due", self.day(document.due_on)))
        if document.credits:
            facts.append(("Credits invoice", document.credits))
        if document.kind == "invoice":
            facts += [("IBAN", document.seller.iban), ("BIC", document.seller.bic), ("Reference", document.reference)]
        return _table(
            [[self.text(self.say(name), bold=True), self.text(value)] for name, value in facts if value], (130, 350)
        )

    def lines(self, document: Document) -> Any:
        """Lines and sums."""
        code, say = document.currency, self.say
        rows = [
            [self.text(say("Description"), bold=True)]
            + [self.text(say(n), bold=True, right=True) for n in ("VAT category", "VAT", "Amount")]
        ]
        for line in document.lines:
            rate = "–" if line.category == "O" else f"{line.rate.normalize():f} %"
            rows.append([self.text(line.words), self.text(line.category, right=True), self.text(rate, right=True),
                         self.text(self.money(line.cents, code), right=True)])  # fmt: skip
        for name, cents in (
            ("Net", document.net),
            ("VAT", document.tax),
            ("To pay" if document.kind == "invoice" else "Credited", document.gross),
        ):
            rows.append(
                [self.text(say(name), bold=True), "", "", self.text(self.money(cents, code), bold=True, right=True)]
            )
        return _table(rows, WIDTHS, ruled=True)

    def reasons(self, document: Document) -> list[Any]:
        """Why a group has no VAT, and the note."""
        told = [self.text(f"{group.category}: {self.say(group.reason)}") for group in document.groups if group.reason]
        return [*told, self.text(document.note)] if document.note else told

    def _party(self, role: str, party: Party) -> list[Any]:
        place = " ".join(part for part in (party.postal_code, party.city) if part)
        vat = f"{self.say('VAT number')} {party.vat_id}" if party.vat_id else ""
        lines = [party.name, party.street, place, party.country, vat]
        return [self.text(self.say(role), bold=True), *(self.text(line) for line in lines if line)]


def _table(rows: list[list[Any]], widths: tuple[int, ...], *, ruled: bool = False) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table, TableStyle

    style: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0)]
    if ruled:
        style += [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.lightgrey),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ]
    return Table(rows, colWidths=widths, style=TableStyle(style), repeatRows=1 if ruled else 0, hAlign="LEFT")


@cache
def _fonts() -> None:
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    folder = files("matplotlib") / "mpl-data" / "fonts" / "ttf"
    for name in (FONT, BOLD):
        registerFont(TTFont(name, str(folder / f"{name}.ttf")))
