"""A party's own log: what it was asked, what it agreed to, what it spent and how each job ended.

Belongs here: appending, chaining, verifying, the used job ids and the budget that follow from it. Does not belong
here: deciding (``acceptance``). No row value and no count is ever written.

One line of JSON per entry, flushed to the disk before the party acts on it. Each entry holds the digest of the former,
so that a change of the past shows. Whoever rewrites a whole log contradicts the other parties: at the start of each job
all note the digest that each log had then. A debit is never given back.
"""

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from federation.jobs.job import canonical
from records.errors import BudgetError, StorageError

GENESIS = "0" * 64
ADMITTED, STARTED, ENDED, DEBITED = "job.admitted", "job.started", "job.ended", "budget.debited"
SLACK = 1e-12  # of adding floats


@dataclass(frozen=True)
class Entry:
    """One line: its number from 1, time, event, job and detail, and the digest of the line before."""

    number: int
    at: str
    event: str
    job: str
    detail: Mapping[str, Any]
    former: str
    digest: str

    @classmethod
    def following(cls, former: "Entry | None", at: datetime, event: str, job: str, detail: Mapping[str, Any]) -> Self:
        """The next entry of a chain."""
        number, before = (1, GENESIS) if former is None else (former.number + 1, former.digest)
        body = {"number": number, "at": at.astimezone(UTC).isoformat(), "event": event, "job": job, "detail": detail}
        return cls(**body, former=before, digest=_digest(body, before))  # type: ignore[arg-type]

    @classmethod
    def parsed(cls, line: bytes, former: "Entry | None") -> Self:
        """An entry that was written, checked against the one before."""
        entry = cls(**json.loads(line))
        again = cls.following(former, datetime.fromisoformat(entry.at), entry.event, entry.job, entry.detail)
        if entry != again:
            raise ValueError(entry.number)
        return entry

    @property
    def line(self) -> bytes:
        """As it is written."""
        return canonical(self.__dict__) + b"\n"


def _digest(body: Mapping[str, Any], former: str) -> str:
    return hashlib.sha256(former.encode() + canonical(body)).hexdigest()


class Journal:
    """The log at ``path``, held by one process until it is closed.

    Raises
    ------
    StorageError
        Another process holds it, or its past was changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise StorageError(f"{path} must be held by one party, got a second; is it running already?") from None
        self._last: Entry | None = None
        self._used: set[str] = set()
        self._open: dict[str, None] = {}
        self._exact: dict[str, int] = {}
        self._spent: dict[str, float] = {}
        torn = self._cut_torn_line()
        for entry in entries(path):
            self._follow(entry)
        if torn:
            self.record("journal.mended", "", now=datetime.now(UTC), bytes=torn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    @property
    def head(self) -> str:
        """Digest of the newest entry: who keeps it can tell whether the past was changed later."""
        return GENESIS if self._last is None else self._last.digest

    def used(self, job: str) -> bool:
        """Whether a job's id was admitted before."""
        return job in self._used

    def exact(self, dataset: str) -> int:
        """Jobs without differential privacy that were admitted on the data set."""
        return self._exact.get(dataset, 0)

    @property
    def open(self) -> list[str]:
        """Jobs that were admitted and have not ended."""
        return list(self._open)

    def spent(self, dataset: str) -> float:
        """zCDP rho that jobs on the data set have cost."""
        return self._spent.get(dataset, 0.0)

    def record(self, event: str, job: str, *, now: datetime, **detail: Any) -> Entry:
        """Append an entry and wait until the disk has it."""
        entry = Entry.following(self._last, now, event, job, detail)
        try:
            _write_all(self._handle, entry.line)
            os.fsync(self._handle)
        except OSError as error:
            raise StorageError(f"{self.path} must be writable, got {error.strerror}; free disk space") from error
        self._follow(entry)
        return entry

    def admit(self, job: str, *, now: datetime, **detail: Any) -> None:
        """Note that a job fits the rules; its id is used from now on."""
        self.record(ADMITTED, job, now=now, **detail)

    def debit(self, job: str, dataset: str, *, rho: float, total: float, now: datetime) -> None:
        """Take ``rho`` from the data set's budget ``total`` before a share is sent.

        Raises
        ------
        BudgetError
            ``rho`` is more than what is left.
        """
        if not (math.isfinite(rho) and rho > 0):
            raise BudgetError(f"rho must be positive and finite, got {rho}; mend the job")
        left = total - self.spent(dataset)
        if rho > left + SLACK:
            raise BudgetError(
                f"the job must fit what is left of the budget of {dataset}, rho {max(left, 0):.4f} of {total:g}, "
                f"got rho {rho:.4f}; ask for a smaller epsilon"
            )
        self.record(DEBITED, job, now=now, dataset=dataset, rho=rho)

    def _follow(self, entry: Entry) -> None:
        self._last = entry
        if entry.event == ADMITTED:
            self._used.add(entry.job)
            self._open[entry.job] = None
            if (dataset := entry.detail.get("dataset")) and entry.detail.get("rho") is None:
                self._exact[dataset] = self.exact(dataset) + 1
        if entry.event == ENDED:
            self._open.pop(entry.job, None)
        if entry.event == DEBITED:
            self._spent[entry.detail["dataset"]] = self.spent(entry.detail["dataset"]) + entry.detail["rho"]

    def _cut_torn_line(self) -> int:
        """A line without an end was written when the power failed, before the party acted on it."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._handle, whole)
        return len(content) - whole


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def entries(path: Path) -> Iterator[Entry]:
    """All entries in order, each checked against the one before.

    Raises
    ------
    StorageError
        An entry was changed, removed or put in.
    """
    former: Entry | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                former = Entry.parsed(line, former)
            except (ValueError, TypeError, KeyError):
                raise StorageError(
                    f"{path} must hold an unbroken chain, got a changed entry {number}; restore it from a copy"
                ) from None
            yield former


def contradicting(own: Path, other: Path, name: str) -> list[Entry]:
    """Entries of another party's log that note a digest for ``name`` which ``name``'s own log does not hold."""
    digests = {GENESIS, *(entry.digest for entry in entries(own))}
    noted = (entry for entry in entries(other) if entry.event == STARTED)
    return [entry for entry in noted if entry.detail.get("heads", {}).get(name, GENESIS) not in digests]
