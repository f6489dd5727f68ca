"""The whole catalogue as one stream of RDF.

Belongs here: joining documents that were made and checked at publication. Does not belong here: making them.

References
----------
RDF 1.1 Turtle (a document may repeat its prefixes); JSON-LD 1.1 (a document may be a list of nodes).
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import sqlalchemy as sa
from rdflib import Graph
from sqlalchemy.orm import InstrumentedAttribute

from hub.catalogue.tables import Dataset
from hub.database.engine import Database

TURTLE, JSON_LD = "text/turtle", "application/ld+json"
BATCH = 200


def documents(database: Database, catalogue: Graph, ids: Sequence[str], media: str) -> Iterator[str]:
    """Pieces of the export: the catalogue's own document, then those of the data sets ``ids``, in constant memory."""
    if media == TURTLE:
        yield catalogue.serialize(format="turtle")
        for text in _stored(database, ids, Dataset.turtle):
            yield f"\n{text}"
        return
    own = catalogue.serialize(format="json-ld", auto_compact=False, indent=None)
    lists = (text.strip().removeprefix("[").removesuffix("]") for text in _stored(database, ids, Dataset.json_ld))
    for number, nodes in enumerate(chain([own.strip().removeprefix("[").removesuffix("]")], lists)):
        yield f"{',' if number else '['}\n{nodes}"
    yield "\n]\n"


def _stored(database: Database, ids: Sequence[str], column: InstrumentedAttribute[str | None]) -> Iterator[str]:
    # Published documents only, though a data set may be withdrawn meanwhile.
    for start in range(0, len(ids), BATCH):
        wanted = sa.select(column).where(Dataset.id.in_(ids[start : start + BATCH]), Dataset.status == "published")
        # A session for each batch: a slow reader must not hold a connection.
        with database.read() as session:
            texts = session.scalars(wanted.order_by(Dataset.id)).all()
        yield from (text for text in texts if text)
