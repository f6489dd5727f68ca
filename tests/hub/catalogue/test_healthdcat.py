"""Exports against our shapes, SEMIC's DCAT-AP 3.0.1 shapes and HealthDCAT-AP Release 8, with the network blocked."""

import socket
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyshacl import validate
from rdflib import Graph

from hub.catalogue.from_evaluation import record_of
from hub.catalogue.healthdcat import catalogue_graph, dataset_graph
from hub.catalogue.record import Agent, DatasetRecord
from hub.catalogue.validation import problems
from use_cases.registry import discover

BASE = "https://hub.example.eu"
STANDARDS = ("dcatap301_shapes.ttl", "dcatap301_range.ttl", "healthdcatap_r8_nonpublic.ttl")
BODY = Agent(name="Health Data Access Body", email="body@example.eu")
COHORTS = [(use_case, cohort) for use_case in discover().values() for cohort in use_case.cohorts]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("the network is blocked")

    monkeypatch.setattr(socket.socket, "connect", refused)


def record(index: int = 0, **changes: Any) -> DatasetRecord:
    use_case, cohort = COHORTS[index]
    made = record_of(
        cohort.table, identifier=f"urn:phaseiv:{cohort.name}", description=use_case.description,
        citation=cohort.source.citation, licence=cohort.source.licence, publisher=Agent(name="Hospital", email="h@example.eu"),
        access_body=BODY, hub_url=BASE, dataset_id="x", keywords=[use_case.key], categories=["p"],
        evaluation={"counts": {"train": 344, "holdout": 148}},
    )  # fmt: skip
    return made.model_copy(update={"period": (date(2000, 1, 1), date(2005, 1, 1)), "countries": ["DNK"], **changes})


@pytest.fixture(params=STANDARDS)
def standard(request: pytest.FixtureRequest, shared_data: Path) -> Graph:
    return Graph().parse(shared_data / "standards" / request.param)


@pytest.mark.parametrize("index", range(len(COHORTS)))
def test_every_cohort_conforms_to_our_shapes(index: int) -> None:
    assert problems(dataset_graph(record(index), BASE, "x")) == []


@pytest.mark.parametrize("index", range(len(COHORTS)))
def test_every_cohort_conforms_to_the_standards(index: int, standard: Graph) -> None:
    conforms, _, words = validate(dataset_graph(record(index), BASE, "x"), shacl_graph=standard)
    assert conforms, words


def test_the_catalogue_conforms(standard: Graph) -> None:
    graph = catalogue_graph(BASE, "Catalogue", BODY, [], {"first": f"{BASE}/catalogue"})
    conforms, _, words = validate(graph, shacl_graph=standard)
    assert conforms, words
    assert problems(graph) == []


LACKING: dict[str, dict[str, Any]] = {
    "applicable legislation": {"applicable_legislation": []}, "distribution": {"distributions": []}, "theme": {"themes": []},
    "contact point": {"contact": None}, "keyword": {"keywords": []}, "type": {"types": []}, "provenance": {"provenance": ""},
    "health data access body": {"access_body": None}, "health category": {"health_categories": []}, "variables": {"variables": []},
    "publisher": {"publisher": Agent(name="nobody to reach")},
}  # fmt: skip


@pytest.mark.parametrize("name", LACKING)
def test_each_gap_is_named_in_plain_words(name: str) -> None:
    said = problems(dataset_graph(record(**LACKING[name]), BASE, "x"))
    assert any(words.startswith(name) for words in said), said


@pytest.mark.parametrize("name", sorted(LACKING.keys() - {"publisher"}))
def test_release_8_sees_the_same_gap(name: str, shared_data: Path) -> None:
    standard = Graph().parse(shared_data / "standards" / STANDARDS[2])
    conforms, _, _ = validate(dataset_graph(record(**LACKING[name]), BASE, "x"), shacl_graph=standard)
    assert not conforms


def test_json_ld_holds_the_same_graph() -> None:
    graph = dataset_graph(record(), BASE, "x")
    again = Graph().parse(data=graph.serialize(format="json-ld"), format="json-ld")
    assert len(again) == len(graph)
    assert problems(again) == []


def test_no_row_and_no_exact_count_leaves(browser: Callable[..., Any]) -> None:
    made = record()
    assert made.records == 490, "492 patients are told as 490"
    assert all(v.missing_share is None for v in made.variables)
