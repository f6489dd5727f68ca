"""Full-text search by the store's own index: FTS5 in SQLite, ``tsvector`` in Postgres.

Belongs here: index and match. Does not belong here: facets and pages.
"""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from hub.catalogue.tables import Dataset

INDEX = "dataset_words"
MOST_WORDS = 8
SQLITE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(id UNINDEXED, words, tokenize='unicode61 remove_diacritics 2')",
    f"CREATE TRIGGER IF NOT EXISTS {INDEX}_added AFTER INSERT ON datasets BEGIN "
    f"INSERT INTO {INDEX}(id, words) VALUES (new.id, new.words); END",
    f"CREATE TRIGGER IF NOT EXISTS {INDEX}_changed AFTER UPDATE OF words ON datasets BEGIN "
    f"DELETE FROM {INDEX} WHERE id = old.id; INSERT INTO {INDEX}(id, words) VALUES (new.id, new.words); END",
    f"CREATE TRIGGER IF NOT EXISTS {INDEX}_removed AFTER DELETE ON datasets BEGIN "
    f"DELETE FROM {INDEX} WHERE id = old.id; END",
)
POSTGRES = (
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON datasets USING gin (to_tsvector('simple', words))",
    # Long texts lie apart, so that counting facets reads a tenth of the pages.
    "ALTER TABLE datasets SET (toast_tuple_target = 512)",
)


def matching(session: Session, text: str) -> tuple[list[sa.ColumnElement[bool]], list[Any]]:
    """Conditions and order of a search; every word must begin a word of the description."""
    words = re.findall(r"\w+", folded(text))[:MOST_WORDS]
    newest = Dataset.published_at.desc()
    if not words:
        return [], [newest]
    # A word of the title tells more than one of a variable; a rank by all words would read every text that fits.
    order = [sa.func.lower(Dataset.title).contains(words[0], autoescape=True).desc(), newest]
    if session.get_bind().dialect.name == "postgresql":
        query = sa.func.to_tsquery("simple", " & ".join(f"{word}:*" for word in words))
        vector = sa.func.to_tsvector(sa.literal_column("'simple'"), Dataset.words)
        return [vector.op("@@")(query)], order
    query = " ".join(f'"{word}"*' for word in words)
    index = sa.table(INDEX, sa.column("id"), sa.column("rank"))
    hits = sa.select(index.c.id).where(sa.text(f"{INDEX} MATCH :query").bindparams(query=query))
    return [Dataset.id.in_(hits)], order


def folded(text: str) -> str:
    """Small letters without accents, so that both stores find the same."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def statements(dialect: str) -> tuple[str, ...]:
    """What makes the index."""
    return POSTGRES if dialect == "postgresql" else SQLITE


@event.listens_for(Dataset.__table__, "after_create")
def _indexed(_: sa.Table, connection: sa.Connection, **__: Any) -> None:
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
