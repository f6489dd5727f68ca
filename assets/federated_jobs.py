"""Jobs of a federation as assets ask for them: over the network, with progress in the run's log.

Belongs here: what the federated assets share: describing a job, having it done, and what a run shows of it. Does not
belong here: what is asked (``federated``), or the parties (``federation``), which are never steps of a run.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.workspace import Workspace
from records.errors import ParameterError
from records.schema import Schema
from use_cases.cohort import Cohort
from use_cases.registry import UseCase

if TYPE_CHECKING:
    from federation.jobs.job import Job
    from federation.party.researcher import Progress, Result
    from federation.party.settings import ResearcherSettings

LOG_SECONDS = 2.0


class FederatedConfig(dg.Config):
    """Who takes part (by default all parties of the settings) and what the result may cost.

    ``epsilon`` is for synthesis. ``collusion`` is how many parties may subtract their own noise without harm; by default the
    largest number below a half of the parties.
    """

    participants: list[str] = []  # noqa: RUF012, pydantic copies it
    minimum_count: int = 10
    epsilon: float = 1.0
    collusion: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Federation:
    """The federation behind a use case's assets; ``researcher`` is the file that names its parties."""

    use_case: UseCase
    cohort: Cohort
    workspace: Workspace
    researcher: Path | None

    @property
    def settings(self) -> "ResearcherSettings":
        """Addresses and certificate of this deployment as a researcher."""
        from federation.party.settings import ResearcherSettings, read_settings

        if self.researcher is None:
            raise ParameterError(
                f"PHASEIV_FEDERATION__{self.use_case.key.upper()} must name a researcher's settings, got none; join a "
                "federation (phaseiv party join), or try one on this machine: make demo-mpc"
            )
        return read_settings(self.researcher, ResearcherSettings)

    @property
    def schema(self) -> Schema:
        """The codebook of the de-identified patients at every hospital."""
        from deidentification.schema import deidentified_schema

        return deidentified_schema(self.cohort.table)

    def job(self, config: FederatedConfig, kind: str, columns: Sequence[str], **more: Any) -> "Job":
        """A new job on this cohort."""
        from federation.jobs.job import issued

        settings = self.settings
        description = {
            "kind": kind, "participants": config.participants or list(settings.parties), "dataset": self.cohort.name,
            "columns": list(columns), "minimum_count": config.minimum_count, **more,
        }  # fmt: skip
        return issued(description, researcher=settings.name)

    def done(self, context: dg.AssetExecutionContext, job: "Job") -> "Result":
        """The result of a job of one step."""
        from federation.party.researcher import Researcher

        async def ran() -> "Result":
            async with Researcher(self.settings) as researcher:
                return await researcher.run(job, on_progress=logged(context, job))

        return asyncio.run(ran())

    def recorded(
        self, context: dg.AssetExecutionContext, name: str, job: "Job", result: "Result", files: dict[str, bytes]
    ) -> dict[str, Any]:
        """Write a finished job to MLflow, and return what the run's page shows of it."""
        from assets.tracking import Tracking

        figures = costs(result)
        run = Tracking(self.workspace).record(
            self.use_case.key, name, params=_parameters(job), metrics=figures,
            tags={"dagster_run_id": context.run.run_id, "job": job.id, "job_sha256": job.sha256}, files=files,
        )  # fmt: skip
        table = [dg.TableRecord({"party": party, **one}) for party, one in by_party(result).items()]
        return {
            **figures, "mlflow_run_id": run, "job": job.id, "end": result.end.state,
            "parties": dg.MetadataValue.table(table),
        }  # fmt: skip


def logged(context: dg.AssetExecutionContext, job: "Job") -> Callable[["Progress"], None]:
    """Writes progress to the run's log: at once when a party does something new, else every two seconds."""
    said: dict[str, tuple[str, float]] = {}

    def tell(progress: "Progress") -> None:
        words, now = f"{progress.stage} {progress.note}".strip(), time.monotonic()
        former, since = said.get(progress.party, ("", 0.0))
        if words == former and now - since < LOG_SECONDS:
            return
        said[progress.party] = words, now
        f = progress.figures
        context.log.info(
            f"{job.kind} {progress.party}: {words}, round {f.rounds}, {f.bytes:,} bytes sent, {f.seconds:.1f} s"
        )

    return tell


def costs(result: "Result") -> dict[str, float]:
    """What a job took in all."""
    return {
        "seconds": round(result.seconds, 3),
        "bytes_between_parties": result.bytes,
        "rounds": max((one.rounds for one in result.figures.values()), default=0),
    }


def by_party(result: "Result") -> dict[str, dict[str, float]]:
    """What each party sent and took."""
    return {
        name: {"bytes sent": one.bytes, "messages": one.messages, "rounds": one.rounds, "seconds": one.seconds}
        for name, one in result.figures.items()
    }


def as_bytes(value: Any) -> bytes:
    """Readable JSON for a file."""
    return json.dumps(value, indent=1, default=lambda array: array.tolist()).encode()


def _parameters(job: "Job") -> dict[str, Any]:
    described = job.model_dump(mode="json", exclude={"id", "codebook", "parameters", "issued_at", "expires_at"})
    return {**described, "participants": ", ".join(job.participants), "columns": ", ".join(job.columns)[:500]}
