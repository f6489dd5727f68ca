"""What a program sees of its job while it runs: the researcher's steps, the job's budget, and whom to tell of progress.

Belongs here: the order of steps, agreed between the parties, and adding up what they cost. Does not belong here: what
a step computes (programs) and how it travels (``party.service``).

A program of one computation ignores the steps, and only tells what its noise costs::

    async def counts(runtime, site, job, steps):
        steps.spend(rho)
        ...
        return {"counts": opened}

A program of a session answers each step and returns when there are no more::

    async for request in steps:
        await steps.answer(await measured(runtime, request))
    return {}
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from federation.jobs.job import Job
from federation.party.messages import encoded
from records.errors import BudgetError

SLACK = 1e-9  # relative, of adding many small rho
Request = Mapping[str, Any]
FIRST, LAST = b"phaseiv steps", b"no more steps"


class Agreeing(Protocol):
    """The part of the runtime that steps need."""

    async def agree(self, digest: bytes) -> None:
        """All parties hold the same digest, or an error names who does not."""
        ...


class Steps:
    """The steps of one job at one party.

    Parameters
    ----------
    job : Job
    runtime : Agreeing
    requests : asyncio.Queue
        Steps as they come from the researcher; ``None``: there are no more.
    answer : callable
        Sends the answer of a step to the researcher.
    """

    def __init__(
        self, job: Job, runtime: Agreeing, requests: "asyncio.Queue[Request | None]",
        answer: Callable[[int, Any], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.job = job
        self.number = 0
        self.spent = 0.0
        self.note = ""
        self._runtime = runtime
        self._answer = answer
        self._requests = requests
        self._chain = hashlib.sha256(FIRST + job.canonical).digest()

    def __aiter__(self) -> "Steps":
        return self

    async def __anext__(self) -> Request:
        """The next step, after the parties have agreed that all got the same ones in the same order."""
        request = await self._requests.get()
        content = LAST if request is None else encoded(request)
        self._chain = hashlib.sha256(self._chain + content).digest()
        await self._runtime.agree(self._chain)
        if request is None:
            raise StopAsyncIteration
        self.number += 1
        return request

    async def answer(self, value: Any) -> None:
        """Give what was opened to the researcher: an array, or plain values and arrays in dicts and lists."""
        await self._answer(self.number, value)

    def spend(self, rho: float) -> None:
        """Add up what noise costs; call it before anything noisy is opened.

        Raises
        ------
        BudgetError
            The job declared, and the parties debited, less.
        """
        if not (math.isfinite(rho) and rho > 0):
            raise BudgetError(f"rho of a step must be positive and finite, got {rho}; mend the step")
        declared = self.job.rho or 0.0
        if self.spent + rho > declared * (1 + SLACK):
            left = max(declared - self.spent, 0.0)
            raise BudgetError(
                f"steps must cost at most the job's rho {declared:g}, of which {left:.6g} is left, got {rho:.6g}; declare more"
            )
        self.spent += rho

    def tell(self, note: str) -> None:
        """Say what is done now; progress carries it to the researcher. Never a value of data."""
        self.note = note
