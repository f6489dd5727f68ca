"""A record as HealthDCAT-AP: the graph that catalogues of the European Health Data Space exchange.

Belongs here: from a record to RDF. Does not belong here: checking it (``validation``).

References
----------
HealthDCAT-AP Release 8; DCAT-AP 3.0.1; CSV on the Web (variables). IRIs of vocabularies carry their ``rdf:type``, without
which the range shapes of DCAT-AP cannot be checked.
"""

from collections.abc import Iterable

from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import CSVW, DCAT, DCTERMS, FOAF, RDF, SKOS, XSD

from hub.catalogue import vocabulary
from hub.catalogue.record import Agent, DatasetRecord, Distribution, Variable

HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
ELI = Namespace("http://data.europa.eu/eli/ontology#")
VERSION = URIRef("http://www.w3.org/ns/dcat#version")  # newer than the library's list of terms
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
OA = Namespace("http://www.w3.org/ns/oa#")
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
CV = Namespace("http://data.europa.eu/m8g/")
PREFIXES = {"healthdcatap": HEALTH, "dcatap": DCATAP, "eli": ELI, "cv": CV, "csvw": CSVW, "dcat": DCAT, "dct": DCTERMS,
            "adms": ADMS, "dqv": DQV, "oa": OA, "hydra": HYDRA}  # fmt: skip


def dataset_iri(base: str, dataset_id: str) -> URIRef:
    """The address of a data set, which is its identifier in RDF too."""
    return URIRef(f"{base}/catalogue/{dataset_id}")


def dataset_graph(record: DatasetRecord, base: str, dataset_id: str, version: int = 1) -> Graph:
    """One data set's document."""
    graph, me = _graph(), dataset_iri(base, dataset_id)
    graph.add((me, RDF.type, DCAT.Dataset))
    for path, words in ((DCTERMS.title, record.title), (DCTERMS.description, record.description)):
        graph.add((me, path, Literal(words, lang="en")))
    graph.add((me, DCTERMS.identifier, Literal(record.identifier)))
    graph.add((me, VERSION, Literal(str(version))))
    _concept(graph, me, DCTERMS.accessRights, vocabulary.access_right(record.access_rights), DCTERMS.RightsStatement)
    _legislation(graph, me, map(str, record.applicable_legislation))
    for word in record.keywords:
        graph.add((me, DCAT.keyword, Literal(word, lang="en")))
    _concepts(graph, me, record)
    _people(graph, me, record)
    _coverage(graph, me, record)
    if record.modality is not None:
        graph.add((me, HEALTH.hasCodeValues, Literal(record.modality.value)))
        graph.add((me, HEALTH.hasCodingSystem, URIRef(vocabulary.DICOM_CODES)))
        graph.add((URIRef(vocabulary.DICOM_CODES), RDF.type, DCTERMS.Standard))
    if record.provenance:
        statement = BNode()
        graph.add((me, DCTERMS.provenance, statement))
        graph.add((statement, RDF.type, DCTERMS.ProvenanceStatement))
        graph.add((statement, SKOS.prefLabel, Literal(record.provenance, lang="en")))
    for number, distribution in enumerate(record.distributions, 1):
        node = URIRef(f"{me}#distribution-{number}")
        graph.add((me, DCAT.distribution, node))
        _distribution(graph, node, distribution, map(str, record.applicable_legislation))
    _sample(graph, me, record)
    _label(graph, me, record)
    graph.add((me, HEALTH.hasStructuredData, Literal(record.structured)))
    if record.structured and record.variables:
        _variables(graph, me, record)
    return graph


def catalogue_graph(base: str, title: str, publisher: Agent, datasets: Iterable[str], pages: dict[str, str]) -> Graph:
    """The catalogue's own document, which names its data sets; ``pages`` holds ``first``, ``next``, ``last`` (Hydra)."""
    graph, me = _graph(), URIRef(f"{base}/catalogue")
    graph.add((me, RDF.type, DCAT.Catalog))
    graph.add((me, DCTERMS.title, Literal(title, lang="en")))
    graph.add((me, DCTERMS.description, Literal("Data sets for secondary use of electronic health data.", lang="en")))
    _legislation(graph, me, [vocabulary.REGULATION])
    _agent(graph, me, DCTERMS.publisher, publisher)
    for dataset_id in datasets:
        graph.add((me, DCAT.dataset, dataset_iri(base, dataset_id)))
    for name, address in pages.items():
        graph.add((me, HYDRA[name], URIRef(address)))
    return graph


def _graph() -> Graph:
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in {**PREFIXES, "foaf": FOAF, "skos": SKOS, "vcard": VCARD, "xsd": XSD}.items():
        graph.bind(prefix, namespace)
    return graph


def _concept(graph: Graph, me: URIRef, path: URIRef, iri: str, kind: URIRef = SKOS.Concept) -> None:
    graph.add((me, path, URIRef(iri)))
    graph.add((URIRef(iri), RDF.type, kind))
    if kind == SKOS.Concept:
        graph.add((URIRef(iri), SKOS.prefLabel, Literal(iri.rsplit("/", 1)[-1], lang="en")))


def _legislation(graph: Graph, me: URIRef, addresses: Iterable[str]) -> None:
    for address in addresses:
        graph.add((me, DCATAP.applicableLegislation, URIRef(address)))
        graph.add((URIRef(address), RDF.type, ELI.LegalResource))


def _concepts(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    for value in record.themes:
        _concept(graph, me, DCAT.theme, vocabulary.theme(value))
    for value in record.types:
        _concept(graph, me, DCTERMS.type, vocabulary.dataset_type(value))
    for letter in record.health_categories:
        _concept(graph, me, HEALTH.healthCategory, vocabulary.health_category(letter))


def _people(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    if record.contact is not None:
        point = BNode()
        graph.add((me, DCAT.contactPoint, point))
        graph.add((point, RDF.type, VCARD.Kind))
        graph.add((point, VCARD.fn, Literal(record.contact.name)))
        if record.contact.email:
            graph.add((point, VCARD.hasEmail, URIRef(f"mailto:{record.contact.email}")))
        if record.contact.page:
            graph.add((point, VCARD.hasURL, URIRef(str(record.contact.page))))
    for path, agent in ((DCTERMS.publisher, record.publisher), (HEALTH.hdab, record.access_body)):
        if agent is not None:
            _agent(graph, me, path, agent)


def _agent(graph: Graph, me: URIRef, path: URIRef, agent: Agent) -> None:
    found, point = BNode(), BNode()
    graph.add((me, path, found))
    graph.add((found, RDF.type, FOAF.Agent))
    graph.add((found, FOAF.name, Literal(agent.name)))
    graph.add((found, CV.contactPoint, point))
    graph.add((point, RDF.type, CV.ContactPoint))
    if agent.email:
        graph.add((point, CV.email, Literal(agent.email)))
    if agent.page:
        graph.add((point, CV.contactPage, URIRef(str(agent.page))))
        graph.add((URIRef(str(agent.page)), RDF.type, FOAF.Document))


def _coverage(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    counts = ((HEALTH.numberOfRecords, record.records), (HEALTH.numberOfUniqueIndividuals, record.individuals))
    for path, count in counts:
        if count is not None:
            graph.add((me, path, Literal(count, datatype=XSD.nonNegativeInteger)))
    if record.population:
        graph.add((me, HEALTH.populationCoverage, Literal(record.population, lang="en")))
    for letters in record.countries:
        _concept(graph, me, DCTERMS.spatial, vocabulary.country(letters), DCTERMS.Location)
    if record.period:
        period = BNode()
        graph.add((me, DCTERMS.temporal, period))
        graph.add((period, RDF.type, DCTERMS.PeriodOfTime))
        graph.add((period, DCAT.startDate, Literal(record.period[0])))
        graph.add((period, DCAT.endDate, Literal(record.period[1])))


def _distribution(graph: Graph, node: URIRef, found: Distribution, laws: Iterable[str]) -> None:
    graph.add((node, RDF.type, DCAT.Distribution))
    graph.add((node, DCTERMS.title, Literal(found.title, lang="en")))
    graph.add((node, DCAT.accessURL, URIRef(str(found.access_url))))
    _legislation(graph, node, laws)
    _concept(graph, node, DCTERMS["format"], vocabulary.file_type(found.format), DCTERMS.MediaTypeOrExtent)
    if found.media_type:
        _concept(graph, node, DCAT.mediaType, vocabulary.media_type(found.media_type), DCTERMS.MediaType)
    if found.zipped:
        _concept(graph, node, DCAT.packageFormat, vocabulary.media_type("application/zip"), DCTERMS.MediaType)
    if found.licence:
        _concept(graph, node, DCTERMS.license, str(found.licence), DCTERMS.LicenseDocument)


def _sample(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    """Rows of released synthetic data are shown on the data set's page."""
    if record.sample is None:
        return
    node = URIRef(f"{me}#sample")
    page = Distribution(title="Synthetic sample", access_url=str(me), format="HTML")  # type: ignore[arg-type]
    graph.add((me, ADMS.sample, node))
    _distribution(graph, node, page, map(str, record.applicable_legislation))


def _label(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    """The data quality and utility label as a certificate, one text a letter of Article 78(3)."""
    known = {letter: facts for letter, facts in (record.label.letters() if record.label else {}).items() if facts}
    if not known:
        return
    certificate = BNode()
    graph.add((me, DQV.hasQualityAnnotation, certificate))
    graph.add((certificate, RDF.type, DQV.QualityCertificate))
    graph.add((certificate, OA.hasTarget, me))
    for letter, facts in known.items():
        body = BNode()
        graph.add((certificate, OA.hasBody, body))
        graph.add((body, RDF.type, OA.TextualBody))
        said = "; ".join(f"{name}: {value}" for name, value in facts.items())
        graph.add((body, RDF.value, Literal(f"({letter}) {said}", lang="en")))


def _variables(graph: Graph, me: URIRef, record: DatasetRecord) -> None:
    group, table = BNode(), BNode()
    graph.add((me, HEALTH.hasVariables, group))
    graph.add((group, RDF.type, CSVW.TableGroup))
    graph.add((group, DCTERMS.title, Literal(record.title, lang="en")))
    graph.add((group, CSVW.table, table))
    graph.add((table, RDF.type, CSVW.Table))
    graph.add((table, DCTERMS.title, Literal(record.title, lang="en")))
    for variable in record.variables:
        _column(graph, table, variable)


def _column(graph: Graph, table: BNode, variable: Variable) -> None:
    column = BNode()
    graph.add((table, CSVW.column, column))
    graph.add((column, RDF.type, CSVW.Column))
    graph.add((column, CSVW.name, Literal(variable.name)))
    graph.add((column, CSVW.title, Literal(variable.label, lang="en")))
    missing = None if variable.missing_share is None else f"{variable.missing_share:.0%} missing"
    known = [variable.label, variable.unit and f"unit {variable.unit}", variable.public_range, missing]
    graph.add((column, DCTERMS.description, Literal("; ".join(k for k in known if k), lang="en")))
    graph.add((column, CSVW.datatype, Literal(variable.datatype)))
    if concept := next(filter(None, (vocabulary.concept(s, c) for s, c in variable.codes.items())), None):
        graph.add((column, CSVW.propertyUrl, URIRef(concept)))
