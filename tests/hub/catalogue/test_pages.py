"""The catalogue through its pages and its API: drafts are hidden, gaps refused, search and RDF answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rdflib import Graph
from rdflib.namespace import DCAT, RDF

from hub.catalogue.service import draft, edit, publish, search, versions, withdraw
from hub.catalogue.tables import Dataset
from hub.catalogue.validation import problems
from hub.database.engine import Database
from hub.deployment import Deployment
from hub.people import accounts
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


@pytest.mark.slow
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


def test_a_change_is_hidden_until_it_is_published_anew(
    filled: list[str], as_caller: Callable[..., Any], people: dict[Role, Any], visitor: Any
) -> None:
    with as_caller(people[Role.HOLDER]) as caller:
        edit(caller, "cohort-1", record(title="Renamed cohort"))
    assert visitor.api("GET", "/datasets/cohort-1").json()["title"] == "Cohort 1"
    with as_caller(people[Role.HOLDER]) as caller:
        assert publish(caller, "cohort-1").version == 2
        assert publish(caller, "cohort-1").version == 2, "the same description is no new version"
    assert visitor.api("GET", "/datasets/cohort-1").json()["title"] == "Renamed cohort"
    with as_caller(people[Role.HOLDER]) as caller:
        withdraw(caller, "cohort-1")
        edit(caller, "cohort-1", record(title="Third cohort"))
    assert visitor.get("/catalogue/cohort-1").status_code == 404
    with as_caller(people[Role.HOLDER]) as caller:
        assert publish(caller, "cohort-1").version == 3
        kept = [v.record["title"] for v in versions(caller.session, "cohort-1")]
    assert kept == ["Third cohort", "Renamed cohort", "Cohort 1"], "history is never written over"


def test_the_whole_export_holds_every_data_set_once(filled: list[str], visitor: Any) -> None:
    for name, form in (("ttl", "turtle"), ("jsonld", "json-ld")):
        answer = visitor.api("GET", "/export", params={"format": name})
        graph = Graph().parse(data=answer.text, format=form)
        assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 25
        assert len(list(graph.objects(predicate=DCAT.dataset))) == 25
        assert "hidden" not in answer.text
    one = visitor.api("GET", "/datasets/cohort-0/rdf", headers={"accept": "application/ld+json"})
    assert one.headers["content-type"].startswith("application/ld+json")


def test_a_data_set_is_found_under_each_of_its_categories(
    as_caller: Callable[..., Any], people: Any, visitor: Any
) -> None:
    with as_caller(people[Role.HOLDER]) as caller:
        draft(caller, "both", record(title="Äpfel cohort", health_categories=["a", "p"]))
        publish(caller, "both")
    for letter in "ap":
        found = visitor.api("GET", "/datasets", params={"category": letter, "q": "apfel"}).json()
        assert found["total"] == len(found["items"]) == 1
        assert found["facets"]["category"] == {"a": 1, "p": 1}
    assert visitor.api("GET", "/datasets", params={"category": "%"}).json()["total"] == 0


def test_main_fields_and_upload(browser: Callable[..., Any]) -> None:
    holder = browser(Role.HOLDER)
    text = json.dumps(record().model_dump(mode="json")).encode()
    files = {"file": ("record.json", text, "application/json")}
    assert holder.submit("/holder/datasets/new", files=files, dataset_id="sent").status_code == 200
    fields = {"title": "New title", "description": "D", "identifier": "i", "access_rights": "NON_PUBLIC", "themes": "HEAL",
              "types": "PERSONAL_DATA", "keywords": "a\r\nb", "provenance": "P", "health_categories": ["a", "p"],
              "contact": "Desk <desk@example.eu>", "publisher": "H <h@example.eu>", "access_body": "B <b@example.eu>",
              "applicable_legislation": "http://data.europa.eu/eli/reg/2025/327/oj"}  # fmt: skip
    assert holder.submit("/holder/datasets/sent/main", **fields).status_code == 200
    page = holder.get("/holder/datasets/sent").text
    assert "New title" in page
    assert "Desk &lt;desk@example.eu&gt;" in page
    assert holder.submit("/holder/datasets/sent/publish").status_code == 200
    answer = holder.submit("/holder/datasets/sent/main", **(fields | {"title": "", "provenance": "kept text"}))
    assert answer.status_code == 422
    assert "kept text" in answer.text
    broken = {"file": ("record.yaml", b"\xff\xfe", "text/plain")}
    assert holder.submit("/holder/datasets/sent", files=broken).status_code == 422


def test_another_holder_reaches_nothing(hub: Any, filled: list[str], browser: Callable[..., Any]) -> None:
    with hub.database.write() as session:
        other = accounts.create(session, now=hub.clock(), email="o@example.org", name="Other", password=None,
                                roles=frozenset({Role.HOLDER}))  # fmt: skip
    stranger = browser(other)
    assert stranger.get("/holder/datasets/cohort-0").status_code == 404
    for step in ("", "/main", "/publish", "/withdraw"):
        assert stranger.submit(f"/holder/datasets/cohort-0{step}", record="title: A").status_code == 404
    body = record().model_dump(mode="json")
    assert stranger.api("PUT", "/datasets/cohort-0", json=body).status_code == 404


@pytest.mark.parametrize("name", ["publisher", "theme", "access_rights", "category"])
@pytest.mark.parametrize("language", ["en", "fi"])
def test_hostile_facets_are_shown_as_text(visitor: Any, name: str, language: str) -> None:
    hostile = "<img src=x> 100 %(n)s %"
    with_one = visitor.get("/catalogue", params={name: hostile}, headers={"accept-language": language})
    assert with_one.status_code == 200
    assert "<img src=x>" not in with_one.text


def test_a_publisher_with_markup_is_shown_as_text(hub: Deployment, visitor: Any, people: Any) -> None:
    with hub.database.write() as session:
        session.add(
            Dataset(id="odd", holder_id=people[Role.HOLDER].id, title="Odd", description="Odd.", turtle=None,
                    status="published", version=1, record={}, words="odd", access_rights="NON_PUBLIC", use_case=None,
                    cohort=None, publisher="<img src=x> 100 %", created_at=hub.clock(), published_at=hub.clock())
        )  # fmt: skip
    page = visitor.get("/catalogue")
    assert page.status_code == 200
    assert "&lt;img src=x&gt; 100 % (1)" in page.text
    assert "<img src=x>" not in page.text
