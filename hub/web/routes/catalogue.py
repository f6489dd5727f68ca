"""The catalogue's pages and operations: search, one data set, RDF.

Belongs here: reading the catalogue. Does not belong here: a holder's editing (``holder``).
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from rdflib import Graph

from hub.caller import Caller
from hub.catalogue import service
from hub.catalogue.healthdcat import catalogue_graph
from hub.catalogue.record import Agent, DatasetRecord
from hub.catalogue.tables import Dataset
from hub.catalogue.vocabulary import CATEGORIES
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import render

routes = Routes("catalogue")
TURTLE, JSON_LD = "text/turtle", "application/ld+json"
FORMATS = {"ttl": TURTLE, "jsonld": JSON_LD}
Text = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Format = Literal["html", "ttl", "jsonld"] | None


@routes.page("/catalogue", roles=PUBLIC)
def catalogue(
    request: Request, caller: PageCaller, q: Text = "", theme: Text = "", category: Text = "", access_rights: Text = "",
    publisher: Text = "", synthetic: Text = "", page: PageNumber = 1, format: Format = None,
) -> Response:  # fmt: skip
    """Search; as RDF the catalogue's own document, a page at a time."""
    chosen = {
        "theme": theme,
        "category": category,
        "access_rights": access_rights,
        "publisher": publisher,
        "synthetic": synthetic,
    }
    found = service.search(caller.session, q, chosen, page)
    if (media := _wanted(request, format)) is not None:
        return _rdf(_catalogue(caller, found, request), media)
    return render(request, "catalogue_search.html.j2", found=found, q=q, chosen=chosen, categories=CATEGORIES)


@routes.page("/catalogue/{dataset_id}", roles=PUBLIC)
def dataset(request: Request, caller: PageCaller, dataset_id: str, format: Format = None) -> Response:
    """One data set; as RDF by ``format`` or the ``Accept`` header."""
    found = service.published(caller.session, dataset_id)
    if (media := _wanted(request, format)) is not None:
        return _document(found, media)
    record = DatasetRecord.model_validate(found.record)
    return render(request, "catalogue_dataset.html.j2", dataset=found, record=record, categories=CATEGORIES)


@routes.call("GET", "/datasets", roles=PUBLIC)
def search(caller: PageCaller, q: Text = "", theme: Text = "", category: Text = "", access_rights: Text = "",
           publisher: Text = "", synthetic: Text = "", page: PageNumber = 1) -> dict[str, Any]:  # fmt: skip
    """Search the catalogue."""
    chosen = {
        "theme": theme,
        "category": category,
        "access_rights": access_rights,
        "publisher": publisher,
        "synthetic": synthetic,
    }
    found = service.search(caller.session, q, chosen, page)
    return {
        "items": [service.facts(d) for d in found.items],
        "total": found.total,
        "page": page,
        "facets": found.facets,
    }


@routes.call("GET", "/datasets/{dataset_id}", roles=PUBLIC)
def one(caller: PageCaller, dataset_id: str) -> dict[str, Any]:
    """Everything the catalogue says of a data set."""
    found = service.published(caller.session, dataset_id)
    return service.facts(found) | {"record": found.record}


@routes.call("GET", "/export", roles=PUBLIC, response_class=StreamingResponse)
def export(caller: PageCaller) -> Response:
    """All published descriptions as Turtle, one document after another."""
    ids = caller.session.scalars(sa.select(Dataset.id).where(Dataset.status == "published").order_by(Dataset.id)).all()
    return StreamingResponse(_documents(caller, list(ids)), media_type=TURTLE)


def _documents(caller: Caller, ids: list[str], batch: int = 200) -> Iterator[str]:
    with caller.hub.database.read() as session:
        for start in range(0, len(ids), batch):
            wanted = sa.select(Dataset.turtle).where(Dataset.id.in_(ids[start : start + batch])).order_by(Dataset.id)
            yield "\n".join(text or "" for text in session.scalars(wanted))


def _catalogue(caller: Caller, found: service.Found, request: Request) -> Graph:
    here = request.url.remove_query_params(["page", "format"])
    pages = {"first": here, "last": here.include_query_params(page=found.pages)}
    if found.page < found.pages:
        pages["next"] = here.include_query_params(page=found.page + 1)
    settings = caller.hub.settings
    body = Agent(name=settings.body, page=settings.public_url)  # type: ignore[arg-type]
    addresses = {name: str(url) for name, url in pages.items()}
    return catalogue_graph(settings.public_url, settings.body, body, [d.id for d in found.items], addresses)


def _wanted(request: Request, format: Format) -> str | None:
    """The RDF type that is asked for, or none for people."""
    if format is not None:
        return FORMATS.get(format)
    accepted = request.headers.get("accept", "")
    return next((media for media in (TURTLE, JSON_LD) if media in accepted and "text/html" not in accepted), None)


def _rdf(graph: Graph, media: str) -> Response:
    return Response(
        graph.serialize(format="turtle" if media == TURTLE else "json-ld"), media_type=media, headers={"Vary": "Accept"}
    )


def _document(found: Dataset, media: str) -> Response:
    if media == TURTLE:
        return Response(found.turtle, media_type=TURTLE, headers={"Vary": "Accept"})
    return _rdf(Graph(bind_namespaces="none").parse(data=found.turtle or "", format="turtle"), media)
