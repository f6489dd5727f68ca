"""The catalogue's pages and operations: search, one data set, RDF.

Belongs here: reading the catalogue. Does not belong here: a holder's editing (``holder``).
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from rdflib import Graph
from starlette.datastructures import URL

from hub.access import offers
from hub.caller import Caller
from hub.catalogue import service
from hub.catalogue.export import JSON_LD, TURTLE, documents
from hub.catalogue.healthdcat import catalogue_graph
from hub.catalogue.record import Agent, DatasetRecord
from hub.catalogue.tables import Dataset
from hub.catalogue.vocabulary import CATEGORIES
from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.pages import render

routes = Routes("catalogue")
HTML = "text/html"
FORMATS = {"ttl": TURTLE, "jsonld": JSON_LD}
Text = Annotated[str, Query(max_length=200)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Format = Literal["html", "ttl", "jsonld"] | None
RdfFormat = Literal["ttl", "jsonld"] | None


def facets(
    theme: Text = "", category: Text = "", access_rights: Text = "", publisher: Text = "", synthetic: Text = "",
    modality: Text = "",
) -> dict[str, str]:  # fmt: skip
    """What a search is narrowed to; an empty text narrows nothing."""
    return dict(zip(service.FACETS, (theme, category, access_rights, publisher, synthetic, modality), strict=True))


Chosen = Annotated[dict[str, str], Depends(facets)]


@routes.page("/catalogue", roles=PUBLIC)
def catalogue(
    request: Request, caller: PageCaller, chosen: Chosen, q: Text = "", page: PageNumber = 1, format: Format = None
) -> Response:  # fmt: skip
    """Search; as RDF the catalogue's own document, a page at a time."""
    found = service.search(caller.session, q, chosen, page)
    if (media := _wanted(request, format)) is not None:
        return _rdf(_page_of_catalogue(caller, found, request), media)
    return render(request, "catalogue_search.html.j2", found=found, q=q, chosen=chosen, categories=CATEGORIES)


@routes.page("/catalogue/{dataset_id}", roles=PUBLIC)
def dataset(request: Request, caller: PageCaller, dataset_id: str, format: Format = None) -> Response:
    """One data set; as RDF by ``format`` or the ``Accept`` header."""
    found = service.published(caller.session, dataset_id)
    if (media := _wanted(request, format)) is not None:
        return _document(found, media)
    record = DatasetRecord.model_validate(found.record)
    history = service.versions(caller.session, dataset_id)
    return render(
        request, "catalogue_dataset.html.j2", dataset=found, record=record, categories=CATEGORIES, history=history,
        at_once=bool(offers.live(caller.session, dataset_id, caller.now)),
    )  # fmt: skip


@routes.call("GET", "/datasets", roles=PUBLIC)
def search(caller: PageCaller, chosen: Chosen, q: Text = "", page: PageNumber = 1) -> dict[str, Any]:
    """Search the catalogue."""
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


@routes.call("GET", "/datasets/{dataset_id}/rdf", roles=PUBLIC, response_class=Response)
def rdf(request: Request, caller: PageCaller, dataset_id: str, format: RdfFormat = None) -> Response:
    """One data set as HealthDCAT-AP: Turtle, or JSON-LD by ``format`` or the ``Accept`` header."""
    return _document(service.published(caller.session, dataset_id), _wanted(request, format) or TURTLE)


@routes.call("GET", "/export", roles=PUBLIC, response_class=StreamingResponse)
def export(request: Request, caller: PageCaller, format: RdfFormat = None) -> Response:
    """The whole catalogue as HealthDCAT-AP: its own document, then each data set's."""
    media, hub = _wanted(request, format) or TURTLE, caller.hub
    ids = service.published_ids(caller.session)
    parts = documents(hub.database, catalogue_of(caller, ids, {}), ids, media)
    return StreamingResponse(parts, media_type=media, headers={"Vary": "Accept"})


def _page_of_catalogue(caller: Caller, found: service.Found, request: Request) -> Graph:
    query = request.url.remove_query_params(["page", "format"]).query
    here = URL(f"{caller.hub.settings.public_url}/catalogue").replace(query=query)
    pages = {"first": here, "last": here.include_query_params(page=found.pages)}
    if found.page < found.pages:
        pages["next"] = here.include_query_params(page=found.page + 1)
    return catalogue_of(caller, [d.id for d in found.items], {name: str(url) for name, url in pages.items()})


def catalogue_of(caller: Caller, ids: Iterable[str], pages: dict[str, str]) -> Graph:
    """The catalogue's own document."""
    settings = caller.hub.settings
    body = Agent(name=settings.body, page=settings.public_url)  # type: ignore[arg-type]
    return catalogue_graph(settings.public_url, settings.body, body, ids, pages)


def _wanted(request: Request, format: str | None) -> str | None:
    """The RDF type that is asked for, or none for people (RFC 9110, section 12.5.1)."""
    if format is not None:
        return FORMATS.get(format)
    known = {TURTLE: 0.0, JSON_LD: 0.0, HTML: 0.0}
    for part in request.headers.get("accept", "").split(","):
        kind, _, rest = part.partition(";")
        if kind.strip().lower() in known:
            weight = re.search(r"q=([01](?:\.\d{1,3})?)", rest)
            known[kind.strip().lower()] = float(weight[1]) if weight else 1.0
    best = max((TURTLE, JSON_LD), key=known.__getitem__)
    return best if known[best] > known[HTML] else None


def _rdf(graph: Graph, media: str) -> Response:
    text = graph.serialize(format="turtle" if media == TURTLE else "json-ld")
    return Response(text, media_type=media, headers={"Vary": "Accept"})


def _document(found: Dataset, media: str) -> Response:
    """As it was checked when it was published."""
    text = found.turtle if media == TURTLE else found.json_ld
    return Response(text, media_type=media, headers={"Vary": "Accept"})
