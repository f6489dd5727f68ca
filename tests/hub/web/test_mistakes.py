"""Whatever goes wrong for a person is told in Finnish, too; the API stays English; values are never markup."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub
from hub.people.roles import Role
from hub.web.mistakes import HOLE, sentences, told

FINNISH = {"accept-language": "fi"}
ROOT = Path(hub.__file__).parent
# What operators, auditors at a terminal, or programs read, but no page shows.
UNSEEN = (
    "client.py", "client_computation.py", "keys.py", "budget.py", "database/", "audit/", "catalogue/record.py", "delivery/orders.py",
    "access/odrl.py", "access/form.py", "access/holidays.py", "output_checks/disclosure.py", "people/throttle.py",
    "repository/archives.py", "repository/cipher.py", "repository/package.py", "repository/vault.py",
    "statistics/prepared.py", "web/routes/offers.py", "market/simulation/", "valuation/", "reader_study/",
)  # fmt: skip


def raised() -> Iterator[tuple[str, str]]:
    """Place and pattern of each sentence that is raised."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error") and node.args:
                yield from ((place, pattern) for pattern in [_pattern(node.args[0])] if pattern)


def _pattern(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else HOLE for v in node.values)
    return None


def test_every_sentence_that_a_page_can_show_is_translated() -> None:
    missing = [pair for pair in raised() if not pair[0].startswith(UNSEEN) and pair[1] not in sentences()]
    assert missing == []


def test_translations_have_no_more_values_than_the_sentence() -> None:
    for english, translated in sentences().items():
        assert translated.format(*["x"] * english.count(HOLE)), english


@given(st.sampled_from(sorted(sentences())), st.data())
def test_every_sentence_is_known_again_with_its_values(english: str, data: st.DataObject) -> None:
    values = [str(data.draw(st.integers(0, 999))) for _ in range(english.count(HOLE))]
    sentence = english.replace(HOLE, "%s") % tuple(values) if values else english
    assert told("fi")(sentence) != sentence
    assert told("en")(sentence) == sentence


@given(st.text())
def test_unknown_sentences_stay_as_they_are(text: str) -> None:
    assert told("fi")(f"unheard of: {text}") == f"unheard of: {text}"


def test_values_are_translated_where_they_are_known() -> None:
    told_in_finnish = told("fi")("an output must be approved to leave, got one that is waiting; wait or mend it")
    assert "odottaa" in told_in_finnish
    ended = told("fi")(
        "the data must still be kept, got data that ended on 2026-12-01: its time is over; order them again"
    )
    assert "määräaika on päättynyt" in ended


def test_pages_speak_finnish_and_say_what_to_do(browser: Callable[..., Any], visitor: Any) -> None:
    missing = visitor.get("/catalogue/none", headers=FINNISH)
    assert (missing.status_code, "Tätä ei löydy" in missing.text) == (404, True)
    assert "Tietoaineistoa ei ole luettelossa" in missing.text
    assert "Etsi sivua etusivulta" in missing.text
    assert "Sivua ei löydy" in visitor.get("/nowhere", headers=FINNISH).text
    forbidden = browser(Role.DEVELOPER).get("/operator", headers=FINNISH)
    assert forbidden.status_code == 403
    assert "Tähän tarvitaan rooli" in forbidden.text
    malformed = visitor.get("/catalogue?page=0", headers=FINNISH)
    assert malformed.status_code == 422
    assert "Pyynnössä on virhe" in malformed.text
    assert "must be" not in visitor.get("/catalogue/none", headers=FINNISH).text
    assert "must be in the catalogue" in visitor.get("/catalogue/none").text


def test_mistakes_in_forms_speak_finnish(visitor: Any) -> None:
    found = visitor.client.get("/").text.split('name="csrf" value="')[1].split('"')[0]
    for path, fields, words in (
        ("/opt-out", {"national_id": "x", "choice": "out"}, "Henkilötunnuksessa on 6–30"),
        ("/complaints/new", {"about": "data", "words": ""}, "Kerro, mitä kantelu koskee"),
        ("/complaints/follow", {"number": "<b>", "code": ""}, "eivät ole kuitin mukaiset"),
    ):
        answer = visitor.client.post(path, data={"csrf": found, **fields}, headers=FINNISH)
        assert words in answer.text, path


@pytest.mark.parametrize("path", ["/api/v1/datasets/none", "/api/v1/datasets?page=0"])
def test_the_api_answers_in_english(visitor: Any, path: str) -> None:
    assert "must be" in visitor.get(path, headers=FINNISH).json()["detail"]
