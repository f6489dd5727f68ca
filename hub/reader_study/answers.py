"""Answers of readers: on the disk before the next question is shown, and never changed.

Belongs here: the store. Does not belong here: whether an answer is right (``results``).

References
----------
SQLite: a commit is durable with synchronous FULL; triggers refuse changes, also by other programs.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from records.errors import StorageError

FILE = "answers.db"
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    reader TEXT NOT NULL, question INTEGER NOT NULL, choice TEXT NOT NULL,
    confidence INTEGER NOT NULL CHECK (confidence BETWEEN 1 AND 3), answered_at TEXT NOT NULL,
    PRIMARY KEY (reader, question)
) STRICT;
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON answers BEGIN SELECT RAISE(ABORT, 'answers stay'); END;
CREATE TRIGGER IF NOT EXISTS no_loss BEFORE DELETE ON answers BEGIN SELECT RAISE(ABORT, 'answers stay'); END;
"""


@dataclass(frozen=True)
class Answer:
    """What a reader said to a question; ``confidence`` is 1 (a guess) to 3 (sure)."""

    reader: str
    question: int
    choice: str
    confidence: int
    answered_at: str


class Answers:
    """The answers of one study's folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        with self._store() as store:
            store.executescript(_TABLE)

    def keep(self, reader: str, question: int, choice: str, confidence: int, at: datetime) -> bool:
        """Store an answer; False where the question was answered before, and that answer stays.

        Raises
        ------
        StorageError
            The disk refuses.
        """
        values = (reader, question, choice, confidence, at.isoformat(timespec="seconds"))
        with self._store() as store:
            made = store.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values)
            return made.rowcount == 1

    def all(self) -> list[Answer]:
        """All answers, by reader and question."""
        with self._store() as store:
            found = store.execute("SELECT * FROM answers ORDER BY reader, question").fetchall()
        return [Answer(*row) for row in found]

    def answered(self, reader: str) -> set[int]:
        """Questions that a reader has answered."""
        with self._store() as store:
            found = store.execute("SELECT question FROM answers WHERE reader = ?", (reader,)).fetchall()
        return {question for (question,) in found}

    @contextmanager
    def _store(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, since each request may run in another thread; each statement commits at once."""
        try:
            store = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            try:
                store.execute("PRAGMA synchronous = FULL")
                yield store
            finally:
                store.close()
        except sqlite3.Error as error:
            raise StorageError(
                f"{FILE} must be a whole, writable store, got {error.sqlite_errorname}; free disk space or mend its rights"
            ) from error
