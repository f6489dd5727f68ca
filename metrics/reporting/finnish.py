"""Tiivistelmä: the summary in Finnish, from the same data as the English page.

Belongs here: Finnish words and number formats. Does not belong here: figures, verdicts, or the rest of the page.
"""

from collections.abc import Mapping
from typing import Any

RULES = {
    "utility_candidate": "hyödyllisyysraportti koskee toista aineistoa",
    "fidelity_candidate": "yhdenmukaisuusraportti koskee toista aineistoa",
    "privacy_candidate": "tietosuojaraportti koskee toista aineistoa",
    "rows": "synteettisiä rivejä on liian vähän",
    "differential_privacy": "aineistolla ei ole differentiaalisen yksityisyyden takuuta",
    "epsilon": "epsilon ylittää rajan",
    "delta": "delta ylittää rajan",
    "spend_adds_up": "yksityisyyden kustannukset eivät täsmää",
    "exact_noise": "kohinaa ei arvottu tarkasti käyttöjärjestelmän satunnaisuudesta",
    "attack_candidates": "hyökkäyksiä testattiin liian harvalla potilaalla",
    "membership_auc_lower": "jäsenyyshyökkäys onnistuu arvausta paremmin",
    "worst_attack_lower": "vahvin jäsenyyshyökkäys onnistuu arvausta paremmin",
    "worst_attack_upper": "vahvimman jäsenyyshyökkäyksen tehoa ei voida rajata riittävän pieneksi",
    "exact_copies_excess": "aineistossa on liikaa potilasrivien täsmällisiä kopioita",
    "near_copies_excess": "aineistossa on liikaa potilasrivien lähes täsmällisiä kopioita",
    "singling_out": "yksittäinen potilas voidaan erottaa joukosta",
    "linkability": "saman potilaan tiedot voidaan yhdistää",
    "inference": "potilaan salainen tieto voidaan päätellä",
    "reconstruction": "potilaan salainen tieto voidaan laskea aineistosta",
    "tstr_loss": "ennustekyky heikkenee liikaa",
    "tstr_auc": "ennustekyky on liian heikko",
    "tstr_auc_lower": "ennuste ei ole arvausta parempi",
    "mean_tvd2": "muuttujaparien jakaumat ovat liian kaukana todellisista",
    "subgroup_loss": "ennustekyky heikkenee liikaa jossakin potilasryhmässä",
    "broken_rows": "liian moni rivi rikkoo koodikirjan sääntöjä",
}
UNKNOWN = "ei saatavilla"


def finnish_summary(document: Mapping[str, Any]) -> list[str]:
    """Sentences for a decision maker who reads Finnish.

    Parameters
    ----------
    document : mapping
        An evaluation's JSON (``metrics.reporting.document``).
    """
    verdict, utility, privacy, spend = (document[key] for key in ("verdict", "utility", "privacy", "spend"))
    counts = document["counts"]
    said = [
        _verdict(verdict),
        f"Aineistossa on {_whole(counts['synthetic'])} synteettistä riviä. Ne on opittu {_whole(counts['train'])} "
        f"potilaasta; {_whole(counts['holdout'])} potilasta jätettiin sivuun testausta varten.",
        _guarantee(spend),
        f"Jäsenyyshyökkäyksen AUC on {_number(privacy.get('auc'))}{_range(privacy, 'auc')}; 0,5 on arvaus.",
        f"Synteettisellä aineistolla opetettu ennustemalli saa todellisilla potilailla AUC-arvon "
        f"{_number(utility.get('tstr_auc'))}{_range(utility, 'tstr_auc')}; todellisilla potilailla opetettu "
        f"{_number(utility.get('trtr_auc'))}.",
    ]
    if (inference := _inference(utility)) is not None:
        said.append(inference)
    return said


def _verdict(verdict: Mapping[str, Any]) -> str:
    if verdict["released"]:
        return f"Aineisto läpäisi kaikki {len(verdict['findings'])} tarkistusta."
    failed = [str(RULES.get(f["rule"], f["rule"])) for f in verdict["findings"] if not f["passed"]]
    return f"Aineistoa ei julkaista: {'; '.join(failed)}."


def _guarantee(spend: Mapping[str, Any]) -> str:
    if spend.get("epsilon") is None:
        return "Aineistolla ei ole differentiaalisen yksityisyyden takuuta."
    return (
        f"Jokaista potilasta suojaa differentiaalinen yksityisyys: ε = {_number(spend['epsilon'], 3)} ja "
        f"δ = {spend['delta']:g}. Mitä pienempi ε, sitä vahvempi suoja."
    )


def _inference(utility: Mapping[str, Any]) -> str | None:
    rates = ((utility.get("inference") or {}).get("error_rates") or {}).get("type_one")
    if rates is None:
        return None
    return (
        f"Tilastollinen testi, jonka pitäisi erehtyä 5 prosentissa tapauksista, erehtyi synteettisillä aineistoilla "
        f"{_number(100 * rates['share'], 1)} prosentissa."
    )


def _whole(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


def _number(value: float | None, digits: int = 2) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}".replace(".", ",").replace("-", "\N{MINUS SIGN}")


def _range(source: Mapping[str, Any], key: str) -> str:
    lower, upper = source.get(f"{key}_lower"), source.get(f"{key}_upper")
    known = lower is not None and upper is not None
    return f" (95 prosentin luottamusväli {_number(lower)}–{_number(upper)})" if known else ""
