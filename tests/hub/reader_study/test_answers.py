"""Answers are kept at once, by one reader once, and by nobody changed."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.reader_study.answers import Answers
from records.errors import StorageError
from tests.hub.reader_study.conftest import NOW


def test_the_first_answer_stays(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    assert answers.keep("A", 3, "left", 2, NOW)
    assert not answers.keep("A", 3, "right", 3, NOW)
    assert answers.keep("B", 3, "right", 1, NOW)
    assert [(a.reader, a.choice) for a in Answers(tmp_path).all()] == [("A", "left"), ("B", "right")]
    assert answers.answered("A") == {3}


@pytest.mark.parametrize("statement", ["UPDATE answers SET choice = 'right'", "DELETE FROM answers"])
def test_the_store_refuses_changes_by_others(tmp_path: Path, statement: str) -> None:
    Answers(tmp_path).keep("A", 0, "left", 2, NOW)
    with sqlite3.connect(tmp_path / "answers.db") as store, pytest.raises(sqlite3.IntegrityError, match="answers stay"):
        store.execute(statement)
    assert len(Answers(tmp_path).all()) == 1


def test_of_many_at_once_one_is_kept(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda i: answers.keep("A", 0, f"choice {i}", 1, NOW), range(24)))
    assert sum(kept) == 1
    assert answers.all()[0].choice == f"choice {kept.index(True)}"


def test_an_answer_outlives_its_process(tmp_path: Path) -> None:
    program = f"""
import os, signal
from datetime import UTC, datetime
from pathlib import Path
from hub.reader_study.answers import Answers
Answers(Path({str(tmp_path)!r})).keep("A", 0, "left", 2, datetime.now(UTC))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert [a.choice for a in Answers(tmp_path).all()] == ["left"]


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers.db").write_bytes(b"no store at all" * 100)
    with pytest.raises(StorageError, match="must be a whole, writable store"):
        Answers(tmp_path)
