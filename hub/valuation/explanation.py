"""A share in words and as a picture, for the holder who is paid by it.

Belongs here: sentences in English and Finnish, and the steps from records to share. Does not belong here: computing
(``contribution``). Numbers of holders only: no row, no patient.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any

from hub.valuation.contribution import Contribution, Valuation
from hub.valuation.utility import utility
from records.errors import ParameterError

LANGUAGES = ("en", "fi")
INK, GAIN, LOSS, QUIET = "#1B2430", "#0072B2", "#D55E00", "#9AA4B0"
STATES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "paid": "This is paid: the outcomes agree with what all other patients say (p = {p:.3f}, level {level:g}).",
        "chance": "Nothing is paid: the outcomes agree with what all other patients say no better than outcomes in random order could "
        "(p = {p:.3f}, level {level:g}). A small hospital may fail this test with honest data; it can join with others.",
        "harmful": "Nothing is paid: the records made the result no better ({worth:+.4f}). With few patients that may be luck; "
        "with many, look for swapped codes.",
        "copy": "Nothing is paid: every record was registered earlier by another holder.",
        "held": "Pay is held until a person has looked: the records look like {others} more often than chance allows.",
    },
    "fi": {
        "paid": "Tästä maksetaan: lopputulokset sopivat siihen, mitä muiden potilaiden tiedot kertovat (p = {p:.3f}, raja {level:g}).",
        "chance": "Mitään ei makseta: lopputulokset eivät sovi muiden potilaiden tietoihin paremmin kuin satunnaiseen järjestykseen "
        "sekoitetut (p = {p:.3f}, raja {level:g}). Pieni sairaala voi jäädä rajan alle rehellisin tiedoin; se voi liittyä yhteen muiden kanssa.",
        "harmful": "Mitään ei makseta: tietueet eivät parantaneet tulosta ({worth:+.4f}). Jos potilaita on vähän, se voi olla sattumaa; "
        "jos paljon, tarkista, ovatko koodit vaihtuneet.",
        "copy": "Mitään ei makseta: toinen haltija oli rekisteröinyt jokaisen tietueen aiemmin.",
        "held": "Maksu odottaa, kunnes ihminen on katsonut asiaa: tietueet muistuttavat haltijaa {others} useammin kuin sattuma sallii.",
    },
}  # fmt: skip
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "records": "{holder} brought {rows:,} records; {different:,} differ from each other, and {credited:,.1f} count as its own.",
        "worth": "Together they are worth {worth:+.4f} of {total:.4f}, measured by: {utility}; {tests:,} test patients.",
        "share": "Share: {share:.2%}{quality}.", "quality": ", after the label's quality factor {factor:g}",
        "floor": " {floor:.0%} of the revenue is divided by records among those who contributed.", "itself": "each other",
        "axis": "utility", "title": "{holder}: from records to a share of {share:.1%}",
        "steps": "all holders together|worth of its records|counted|after quality",
    },
    "fi": {
        "records": "{holder} toi {rows:,} tietuetta; niistä {different:,} eroaa toisistaan ja {credited:,.1f} luetaan sen omiksi.",
        "worth": "Yhdessä niiden arvo on {worth:+.4f}, kun kaikkien arvo on {total:.4f}. Mittana {utility}; testipotilaita {tests:,}.",
        "share": "Osuus: {share:.2%}{quality}.", "quality": " laatukertoimen {factor:g} jälkeen",
        "floor": " {floor:.0%} tuotosta jaetaan tietueiden määrän mukaan niille, joiden tiedoista oli hyötyä.", "itself": "omia tietueitaan",
        "axis": "hyöty", "title": "{holder}: tietueista osuudeksi {share:.1%}",
        "steps": "kaikki haltijat yhdessä|sen tietueiden arvo|huomioitu|laatukertoimen jälkeen",
    },
}  # fmt: skip


def explained(valuation: Valuation, holder: str, language: str = "en") -> str:
    """Why a holder's share is what it is, as a paragraph.

    Raises
    ------
    ParameterError
        There is no such holder or language.
    """
    line, words = _line(valuation, holder), _spoken(language)
    terms = valuation.terms
    others = [words["itself"] if a == b else a for b, a, _ in valuation.overlaps if b == holder]
    reason = STATES[language][line.state].format(
        p=line.p_value, level=terms.level, worth=line.worth, others=", ".join(others)
    )
    facts = {
        "holder": holder, "rows": line.rows, "different": line.different, "credited": line.credited, "worth": line.worth,
        "total": valuation.total, "utility": utility(terms.utility).words[language], "tests": valuation.tests,
        "share": float(line.share), "floor": float(terms.floor),
        "quality": "" if line.quality == 1 else words["quality"].format(factor=line.quality),
    }  # fmt: skip
    said = [words[key].format(**facts) for key in ("records", "worth")] + [reason, words["share"].format(**facts)]
    return " ".join(said) + (words["floor"].format(**facts) if terms.floor else "")


def steps_plot(valuation: Valuation, holder: str, language: str = "en") -> bytes:
    """From the utility of all to what one holder is paid by, as PNG."""
    line, words = _line(valuation, holder), _spoken(language)
    title = words["title"].format(holder=holder, share=float(line.share))
    values = (valuation.total, line.worth, line.counted, line.counted * line.quality)
    return _drawn(lambda axes: _bars(axes, words["steps"].split("|"), values, words["axis"], title), 2.6)


def shares_plot(valuation: Valuation) -> bytes:
    """Shares of all holders, and why some have none, as PNG."""
    lines = sorted(valuation.lines, key=lambda line: -line.share)

    def draw(axes: Any) -> None:
        axes.barh([line.holder for line in lines], [100 * float(line.share) for line in lines], color=GAIN, height=0.6)
        for place, line in enumerate(lines):
            note = f"{float(line.share):.1%}" if line.state == "paid" else line.state
            axes.text(100 * float(line.share), place, f" {note}", va="center", fontsize=8, color=INK)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("share, %")

    return _drawn(draw, 1.0 + 0.36 * len(lines))


def _bars(axes: Any, names: list[str], values: tuple[float, ...], unit: str, title: str) -> None:
    colours = [QUIET, *(GAIN if value >= 0 else LOSS for value in values[1:])]
    axes.barh(names, values, color=colours, height=0.6)
    for place, value in enumerate(values):
        axes.text(max(value, 0), place, f" {value:+.4f}", va="center", fontsize=8, color=INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")


def _drawn(draw: Callable[[Any], None], height: float) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, height), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, labelsize=8)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _line(valuation: Valuation, holder: str) -> Contribution:
    for line in valuation.lines:
        if line.holder == holder:
            return line
    known = ", ".join(line.holder for line in valuation.lines)
    raise ParameterError(f"the holder must be one of {known}, got {holder}; choose one of these")


def _spoken(language: str) -> Mapping[str, str]:
    if language not in LANGUAGES:
        raise ParameterError(f"the language must be one of {', '.join(LANGUAGES)}, got {language}; choose one")
    return WORDS[language]
