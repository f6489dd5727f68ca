"""The page: codes, questions, answers that stay, results, and what it refuses to show."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hub.reader_study import Mode, Statement, Study
from hub.reader_study.answers import Answers
from tests.hub.reader_study.conftest import NOW, codes, images, visitor

Make = Callable[..., tuple[Path, Study]]


def number_on(page: str) -> int:
    found = re.search(r'action="/question/(\d+)"', page)
    assert found, page
    return int(found.group(1))


def answered(client, study: Study, *, right: bool = True) -> str:
    """All questions of a reader, truly or falsely; the last page."""
    page = client.get("/question").text
    while "/question/" in page:
        number = number_on(page)
        truth = study.questions[number].truth
        other = next(choice for choice in study.choices if choice != truth)
        page = client.post(f"/question/{number}", data={"choice": truth if right else other, "confidence": 3}).text
    return page


def test_a_wrong_code_opens_nothing(make: Make) -> None:
    folder, study = make()
    client = visitor(folder)
    assert client.post("/code", data={"code": "WRONG"}).status_code == 401
    assert "Your code" in client.get("/question").text
    assert "Your code" in client.get("/results").text
    assert client.get(f"/pictures/{study.questions[0].pictures[0]}").status_code == 401


def test_a_reader_answers_all_and_learns_no_result(make: Make) -> None:
    folder, study = make()
    client = visitor(folder, codes(study)[0].lower())
    page = client.get("/question").text
    assert "Question 1 of 10" in page
    assert "Which image is real?" in page
    assert "Thank you" in answered(client, study)
    assert len(Answers(folder).all()) == 10
    assert "Thank you" in client.get("/results").text
    assert client.get("/results.json", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("mode", list(Mode))
def test_a_question_shows_its_own_pictures_and_no_truth(make: Make, mode: Mode) -> None:
    folder, study = make(mode=mode)
    client = visitor(folder, codes(study)[0])
    page = client.get("/question").text
    question = study.questions[number_on(page)]
    assert re.findall(r"/pictures/([0-9a-f]+\.png)", page) == list(question.pictures)
    assert question.label not in page.split("<main")[1]
    for name in question.pictures:
        answer = client.get(f"/pictures/{name}")
        assert answer.content == (folder / "pictures" / name).read_bytes()
        assert answer.headers["cache-control"] == "no-store"


def test_answers_survive_a_restart_and_stay(make: Make) -> None:
    folder, study = make()
    code = codes(study)[0]
    client = visitor(folder, code)
    number = number_on(client.get("/question").text)
    client.post(f"/question/{number}", data={"choice": "left", "confidence": 1})
    again = visitor(folder, code)
    assert "Question 2 of 10" in again.get("/question").text
    page = again.post(f"/question/{number}", data={"choice": "right", "confidence": 3}).text
    assert "your first answer stays" in page
    assert [(a.question, a.choice) for a in Answers(folder).all()] == [(number, "left")]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/question/0", {"choice": "real", "confidence": 2}, 422),
        ("/question/0", {"choice": "left"}, 422),
        ("/question/0", {"choice": "left", "confidence": 4}, 422),
        ("/question/0", {"choice": "left", "confidence": "<script>"}, 422),
        ("/question/10", {"choice": "left", "confidence": 2}, 404),
        ("/question/-1", {"choice": "left", "confidence": 2}, 404),
        ("/question/x", {"choice": "left", "confidence": 2}, 422),
    ],
)
def test_answers_that_are_none_are_refused(make: Make, path: str, form: dict[str, object], status: int) -> None:
    folder, study = make()
    client = visitor(folder, codes(study)[0])
    answer = client.post(path, data=form)
    assert answer.status_code == status
    assert "<script>" not in answer.text
    assert not Answers(folder).all()


@pytest.mark.parametrize("name", ["..%2Fstudy.json", "study.json", "%2e%2e/answers.db", "0" * 24 + ".png"])
def test_nothing_but_pictures_can_be_fetched(make: Make, name: str) -> None:
    folder, study = make()
    answer = visitor(folder, codes(study)[0]).get(f"/pictures/{name}")
    assert answer.status_code == 404
    assert study.organiser not in answer.text


def test_a_form_of_another_site_is_refused(make: Make) -> None:
    folder, study = make()
    client = visitor(folder, codes(study)[0])
    form = {"choice": "left", "confidence": 2}
    assert client.post("/question/0", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/question/0", data=form, headers={"Origin": "http://testserver"}).status_code == 200


def test_images_without_a_permit_are_shown_to_this_machine_alone(make: Make) -> None:
    folder, study = make(statement=Statement(local_consent=True))
    assert visitor(folder, codes(study)[0]).get("/question").status_code == 200
    client = visitor(folder, host="192.0.2.7")
    client.cookies.set("phaseiv_reader", codes(study)[0])
    for path in ("/", "/question", f"/pictures/{study.questions[0].pictures[0]}", "/results"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert answer.content[:4] != b"\x89PNG"


def test_after_the_permit_nothing_is_shown(make: Make) -> None:
    folder, study = make()
    late = visitor(folder, now=NOW + timedelta(days=36))
    late.cookies.set("phaseiv_reader", codes(study)[0])
    assert late.get(f"/pictures/{study.questions[0].pictures[0]}").status_code == 410
    assert "permit" in late.get("/question").text


def test_the_organiser_sees_figures_and_exports_them(make: Make) -> None:
    folder, study = make(mode=Mode.SINGLES, questions=20)
    first, second = codes(study)
    answered(visitor(folder, first), study)
    answered(visitor(folder, second), study, right=False)
    client = visitor(folder, study.organiser)
    page = client.get("/results").text
    assert "Readers were right in 20 of 40 answers." in page
    assert "compatible with guessing" in page
    assert "too narrow" in page
    told = client.get("/results.json").json()
    assert told["readers"][0]["accuracy"]["share"] == 1.0
    assert told["readers"][0]["auc"] == 1.0
    assert told["readers"][1]["accuracy"]["p_value"] < 1e-5
    lines = list(csv.DictReader(io.StringIO(client.get("/results.csv").text)))
    assert len(lines) == 40
    assert {line["correct"] for line in lines if line["reader"] == "reader 1"} == {"True"}
    for secret in (first, second, study.organiser, ".png"):
        assert secret not in client.get("/results.csv").text + client.get("/results.json").text


def test_no_question_yet_is_told(make: Make) -> None:
    folder, study = make()
    assert "No question is answered yet." in visitor(folder, study.organiser).get("/results").text


def test_phantoms_are_named_on_every_page(make: Make) -> None:
    folder, study = make(real=images("real", phantom=True), statement=Statement())
    client = visitor(folder)
    assert "phantoms" in client.get("/").text
    client.post("/code", data={"code": codes(study)[0]})
    assert "phantoms: simulated" in client.get("/question").text


def test_pages_speak_finnish(make: Make) -> None:
    folder, study = make()
    client = visitor(folder, codes(study)[0])
    assert "Kumpi kuva on aito?" in client.get("/question", headers={"Accept-Language": "fi"}).text
    results = visitor(folder, study.organiser).get("/results", headers={"Accept-Language": "fi"}).text
    assert "95 %:n Wilsonin väli" in results


def test_the_hubs_security_headers_are_set(make: Make) -> None:
    folder, _ = make()
    headers = visitor(folder).get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
