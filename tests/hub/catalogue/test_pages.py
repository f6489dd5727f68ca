"""The catalogue through its pages and its API: drafts are hidden, gaps refused, search and RDF answer."""

from collections.abc import Callable
from typing import Any

import pytest
from rdflib import Graph

from hub.catalogue.service import draft, publish, search
from hub.catalogue.validation import problems
from hub.database.engine import Database
from hub.people.roles import Role
from tests.hub.catalogue.test_healthdcat import record

HOSTILE = "<script>alert(1)</script>'; DROP TABLE datasets;--"


@pytest.fixture
def filled(as_caller: Callable[..., Any], people: dict[Role, Any]) -> list[str]:
    with as_caller(people[Role.HOLDER]) as caller:
        for number in range(25):
            made = record(title=f"Cohort {number}", keywords=["stroke" if number % 2 else "lung"])
            draft(caller, f"cohort-{number}", made, use_case="stroke" if number % 5 == 0 else None)
            publish(caller, f"cohort-{number}")
        draft(caller, "hidden", record(title="Hidden cohort"))
    return [f"cohort-{number}" for number in range(25)]


def test_search_facets_and_pages(filled: list[str], visitor: Any) -> None:
    found = visitor.api("GET", "/datasets", params={"q": "stroke"}).json()
    assert found["total"] == 12
    assert visitor.api("GET", "/datasets", params={"q": "stro", "synthetic": "true"}).json()["total"] == 2
    assert found["facets"]["synthetic"] == {"false": 10, "true": 2}
    assert len(visitor.api("GET", "/datasets", params={"page": 2}).json()["items"]) == 5
    page = visitor.get("/catalogue?q=cohort").text
    assert "25 data sets" in page
    assert "Hidden" not in page


@pytest.mark.parametrize("text", [HOSTILE, '"', "* OR", "a:b NEAR(", "\\", "%", "' OR 1=1 --", "\x00"])
def test_hostile_searches_find_nothing_and_break_nothing(filled: list[str], visitor: Any, text: str) -> None:
    assert visitor.api("GET", "/datasets", params={"q": text}).status_code == 200
    assert visitor.api("GET", "/datasets", params={"publisher": text}).json()["total"] == (0 if text.strip() else 25)
    assert visitor.get("/catalogue", params={"q": text}).status_code == 200
    assert visitor.api("GET", "/datasets").json()["total"] == 25


def test_a_draft_is_seen_by_its_holder_only(filled: list[str], visitor: Any, browser: Callable[..., Any]) -> None:
    assert visitor.get("/catalogue/hidden").status_code == 404
    assert visitor.api("GET", "/datasets/hidden").status_code == 404
    assert browser(Role.HOLDER).get("/holder/datasets/hidden").status_code == 200


def test_content_negotiation(filled: list[str], visitor: Any) -> None:
    turtle = visitor.get("/catalogue/cohort-0", headers={"accept": "text/turtle"})
    assert turtle.headers["content-type"].startswith("text/turtle")
    assert problems(Graph().parse(data=turtle.text, format="turtle")) == []
    linked = visitor.get("/catalogue/cohort-0?format=jsonld")
    assert problems(Graph().parse(data=linked.text, format="json-ld")) == []
    pages = visitor.get("/catalogue?format=ttl").text
    assert "hydra/core#next" in pages or "next" in pages
    assert visitor.get("/catalogue/cohort-0", headers={"accept": "text/html"}).text.startswith("<!doctype html>")


def test_publishing_names_every_gap(browser: Callable[..., Any]) -> None:
    holder = browser(Role.HOLDER)
    text = "title: A\ndescription: B\nidentifier: C\n"
    assert holder.submit("/holder/datasets/new", dataset_id="thin", record=text).status_code == 200
    answer = holder.submit("/holder/datasets/thin/publish")
    assert answer.status_code == 422
    for gap in ("theme: choose one", "keyword: write at least one", "health data access body: name exactly one"):
        assert gap in answer.text


def test_a_broken_description_keeps_what_was_written(browser: Callable[..., Any]) -> None:
    holder = browser(Role.HOLDER)
    for text, words in (("title: [", "line"), ("title: A\nnonsense: 1", "nonsense"), ("&a [*a]", "alias")):
        answer = holder.submit("/holder/datasets/new", dataset_id="x1", record=text)
        assert answer.status_code == 422
        assert words in answer.text
        assert text.splitlines()[-1].replace("&", "&amp;") in answer.text


def test_text_of_a_description_is_never_markup(browser: Callable[..., Any], visitor: Any) -> None:
    made = record(
        title=HOSTILE, description=HOSTILE, keywords=[HOSTILE], citation=HOSTILE, licence=HOSTILE, simulated=HOSTILE
    )
    holder = browser(Role.HOLDER)
    assert holder.api("PUT", "/datasets/hostile", json=made.model_dump(mode="json")).status_code == 200
    assert holder.api("POST", "/datasets/hostile/publish").status_code == 200
    for path in ("/catalogue", "/catalogue/hostile", "/catalogue?q=script"):
        assert "<script>alert" not in visitor.get(path).text
    assert "<script>alert" not in holder.get("/holder").text


def test_postgres_finds_the_same(postgres: str, hub: Any, filled: list[str], people: Any, hub_clock: Any) -> None:
    from hub.caller import Caller
    from hub.people import accounts

    database = Database(postgres)
    database.create()
    with database.write() as session:
        holder = accounts.create(
            session, now=hub_clock(), email="h@example.org", name="H", roles=frozenset({Role.HOLDER}), password=None
        )
        caller = Caller(session, hub_clock(), hub, holder)
        for number in range(25):
            made = record(title=f"Cohort {number}", keywords=["stroke" if number % 2 else "lung"])
            draft(caller, f"cohort-{number}", made, use_case="stroke" if number % 5 == 0 else None)
            publish(caller, f"cohort-{number}")
    with database.read() as theirs, hub.database.read() as ours:
        for text in ("stroke", "stro", "cohort 7", "nothing", HOSTILE):
            assert search(theirs, text).total == search(ours, text).total
