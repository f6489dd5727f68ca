"""The Python client's view of a computation that was ordered.

Belongs here: following it, stopping it, fetching its answer. Does not belong here: calling the REST API (``client``).

Examples
--------
>>> asked = hub.compute(permit, "stroke-copenhagen", kind="kaplan_meier", purpose="e", columns=["time", "event"])  # doctest: +SKIP
>>> curve = asked.wait().get().answer()                      # doctest: +SKIP
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from records.errors import ParameterError, StorageError

if TYPE_CHECKING:
    from hub.client import Artefact, Hub

PATIENCE_SECONDS = 1800.0
FINAL = ("ready", "failed", "cancelled", "expired")


class Computation:
    """A computation of several hospitals: its state, its parties' progress, and its answer once it lies ready."""

    def __init__(self, hub: "Hub", facts: dict[str, Any]) -> None:
        self._hub, self.facts = hub, facts

    @property
    def id(self) -> str:
        """The order's id."""
        return self.facts["id"]

    def refresh(self) -> "Computation":
        """Ask the hub how it stands."""
        self.facts = self._hub.computation(self.id).facts
        return self

    def cancel(self) -> "Computation":
        """Stop it; the hospitals stop, too."""
        self.facts = self._hub.call("POST", f"/orders/{self.id}/cancel")
        return self

    def wait(self, seconds: float = PATIENCE_SECONDS) -> "Computation":
        """Wait until the answer lies ready.

        Raises
        ------
        PhaseIVError
            It could not be computed, with the reason, or the time is over.
        """
        end, shown = time.monotonic() + seconds, ""
        while self.refresh().facts["state"] not in FINAL:
            if time.monotonic() > end:
                raise StorageError(f"the answer must be ready within {seconds:.0f} s, got {self!r}; wait again")
            if self._hub.verbose and shown != repr(self):
                shown = repr(self)
                print(shown)
            time.sleep(0.5)
        if self.facts["state"] != "ready":
            raise ParameterError(f"it must be computed, got {self.facts['state']}: {self.facts.get('reason')}")
        return self

    def get(self, to: Path | str | None = None) -> "Artefact":
        """Download the answer or the table."""
        return self._hub.get(self.facts["artefact_id"], to)

    def __repr__(self) -> str:
        rounds = max((one["rounds"] for one in self.facts.get("parties", {}).values()), default=0)
        return f"<computation {self.id}: {self.facts['state']} ({self.facts['stage']}), round {rounds}>"
