"""Local approval of jobs by a person: jobs that wait, and what was decided.

Belongs here: the files by which the service and ``phaseiv party approve`` speak. Does not belong here: which jobs
need it (``acceptance``).

A waiting job lies as ``<id>.json`` in a folder that only the party's own user writes; a decision beside it is bound to
the digest of the job that the person saw.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from federation.jobs.job import Job, parsed
from records.errors import ParameterError
from records.files import write_atomically

LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Decision:
    """Yes or no, by whom and why."""

    approved: bool
    by: str
    reason: str = ""


@dataclass(frozen=True)
class Approvals:
    """The folder of waiting jobs."""

    folder: Path

    def clear(self) -> None:
        """Forget jobs of a former process: nobody waits for their decision any more."""
        for path in [*self.folder.glob("*.json"), *self.folder.glob("*.decision")]:
            path.unlink(missing_ok=True)

    def waiting(self) -> list[Job]:
        """Jobs that wait for a decision, oldest first."""
        found = (parsed(json.loads(path.read_bytes())) for path in self.folder.glob("*.json"))
        undecided = (job for job in found if not self._decision(job).exists())
        return sorted(undecided, key=lambda job: (job.issued_at, job.id))

    def decide(self, identifier: str, decision: Decision) -> Job:
        """Approve or refuse the waiting job that ``identifier`` begins."""
        matches = [job for job in self.waiting() if identifier and job.id.startswith(identifier)]
        if len(matches) != 1:
            known = ", ".join(job.id for job in self.waiting()) or "none"
            raise ParameterError(f"the job must be one that waits ({known}), got {identifier}; choose one of these")
        content = {"sha256": matches[0].sha256, **decision.__dict__}
        write_atomically(self._decision(matches[0]), json.dumps(content).encode())
        return matches[0]

    async def decided(self, job: Job, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Decision:
        """Wait for the decision; a job that expires meanwhile is refused."""
        path, answer = self.folder / f"{job.id}.json", self._decision(job)
        write_atomically(path, job.canonical)
        try:
            while not answer.exists():
                if clock() >= job.expires_at:
                    return Decision(False, "clock", "nobody decided before the job expired")
                await asyncio.sleep(LOOK_SECONDS)
            content = json.loads(answer.read_bytes())
            if content.pop("sha256") != job.sha256:
                return Decision(False, content["by"], "the decision was made on another job")
            return Decision(**content)
        finally:
            path.unlink(missing_ok=True)
            answer.unlink(missing_ok=True)

    def _decision(self, job: Job) -> Path:
        return self.folder / f"{job.id}.decision"
