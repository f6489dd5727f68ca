"""Exports against our shapes, SEMIC's DCAT-AP 3.0.1 shapes and HealthDCAT-AP Release 8, with the network blocked."""

import socket
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pyshacl import validate
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import CSVW, DCAT, DCTERMS

from hub.catalogue.from_evaluation import missing_shares, record_of
from hub.catalogue.from_images import record_of_images
from hub.catalogue.healthdcat import DCATAP, HEALTH, catalogue_graph, dataset_graph, dataset_iri
from hub.catalogue.record import Agent, DatasetRecord, Sample, Variable
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


IMAGES = [(use_case, cohort) for use_case in discover().values() for cohort in use_case.images if cohort.image.phantom]


def image_record(index: int = 0) -> DatasetRecord:
    use_case, cohort = IMAGES[index]
    return record_of_images(
        cohort.image, title=f"Synthetic images: {cohort.image.title} (simulated, no patients)", formats=("dicom", "nifti", "png"),
        identifier="urn:x", citation=cohort.source.citation, licence=cohort.source.licence, publisher=Agent(name="H", email="h@example.eu"),
        access_body=BODY, hub_url=BASE, dataset_id="x", keywords=[use_case.key], images=60,
        spend={"epsilon": 5.0, "delta": 1e-5}, figures={"AUC": 0.8},
    )  # fmt: skip


@pytest.mark.parametrize("index", range(len(IMAGES)))
def test_image_data_sets_conform_and_say_that_they_are_simulated(index: int, standard: Graph) -> None:
    made = image_record(index)
    graph = dataset_graph(made, BASE, "x")
    conforms, _, words = validate(graph, shacl_graph=standard)
    assert conforms, words
    assert problems(graph) == []
    for text in (made.title, made.description, made.simulated or "", " ".join(made.keywords)):
        assert "simulated" in text


def test_our_shapes_refuse_unknown_modalities_and_media_types() -> None:
    graph, me = dataset_graph(image_record(), BASE, "x"), dataset_iri(BASE, "x")
    graph.set((me, HEALTH.hasCodeValues, Literal("XA")))
    assert any(words.startswith("modality") for words in problems(graph))
    graph = dataset_graph(image_record(), BASE, "x")
    graph.set((URIRef(f"{me}#distribution-1"), DCAT.mediaType, URIRef("https://example.eu/x-nifti")))
    assert any(words.startswith("distribution") for words in problems(graph))


TRIPLES = {
    "title": DCTERMS.title, "description": DCTERMS.description, "identifier": DCTERMS.identifier,
    "access rights": DCTERMS.accessRights, "structured data": HEALTH.hasStructuredData, "publisher": DCTERMS.publisher,
}  # fmt: skip


@pytest.mark.parametrize("name", TRIPLES)
def test_a_graph_without_a_mandatory_fact_is_refused(name: str) -> None:
    graph = dataset_graph(record(), BASE, "x")
    graph.remove((dataset_iri(BASE, "x"), TRIPLES[name], None))
    assert any(words.startswith(name) for words in problems(graph))


def test_legislation_is_demanded_of_distribution_and_catalogue() -> None:
    graph = dataset_graph(record(), BASE, "x")
    graph.remove((URIRef(f"{BASE}/catalogue/x#distribution-1"), DCATAP.applicableLegislation, None))
    assert any(words.startswith("distribution") for words in problems(graph))
    whole = catalogue_graph(BASE, "Catalogue", BODY, [], {})
    whole.remove((None, DCATAP.applicableLegislation, None))
    assert any(words.startswith("applicable legislation") for words in problems(whole))


def test_a_second_access_body_is_refused() -> None:
    graph, other = dataset_graph(record(), BASE, "x"), dataset_graph(record(), BASE, "y")
    graph += other
    graph.add((dataset_iri(BASE, "x"), HEALTH.hdab, next(other.objects(dataset_iri(BASE, "y"), HEALTH.hdab))))
    assert any("exactly one" in words for words in problems(graph))


def test_sample_label_and_codes_conform(standard: Graph) -> None:
    sample = Sample(columns=["age"], rows=[[60]], candidate_sha256="0" * 64)
    variable = Variable(name="hb", label="Haemoglobin", datatype="number", codes={"LOINC": "718-7"}, missing_share=0.05)
    graph = dataset_graph(record(sample=sample, variables=[variable]), BASE, "x")
    conforms, _, words = validate(graph, shacl_graph=standard)
    assert conforms, words
    assert problems(graph) == []
    assert (None, CSVW.propertyUrl, URIRef("https://loinc.org/718-7")) in graph


@pytest.mark.parametrize(
    "broken",
    [
        {"themes": ["a b"]}, {"types": ["<x>"]}, {"title": "a\x00b"}, {"contact": {"name": "A", "email": 'a"<b@c.eu'}},
        {"applicable_legislation": ["https://x.eu/?q={a}|b"]}, {"plots": {"a": "PHN2Zz4="}}, {"health_categories": ["z"]},
        {"sample": {"columns": ["a", "b"], "rows": [[1]], "candidate_sha256": "0" * 64}}, {"unknown": 1},
    ],
)  # fmt: skip
def test_what_cannot_be_written_as_rdf_or_shown_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DatasetRecord.model_validate(record().model_dump(mode="json") | broken)


def test_missing_shares_come_from_released_synthetic_data_only() -> None:
    columns = [{"name": "age", "train": 0.123, "synthetic": 0.119}]
    evaluation = {"fidelity": {"missingness": {"columns": columns}}, "verdict": {"released": True}}
    assert missing_shares(evaluation) == {"age": pytest.approx(0.1)}
    table = COHORTS[0][1].table
    options: dict[str, Any] = {"identifier": "u", "description": "d", "citation": "c", "licence": "l", "publisher": BODY,
                               "access_body": BODY, "hub_url": BASE, "dataset_id": "x", "keywords": [], "categories": []}  # fmt: skip
    refused = record_of(table, **options, evaluation=evaluation | {"verdict": {"released": False}})
    assert all(v.missing_share is None for v in refused.variables)
