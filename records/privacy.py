"""What a computation cost in privacy: the value that synthesizers return and the ledger debits.

Belongs here: the frozen record of a spend. Does not belong here: mechanisms and accounting, which compute it
(``models``), or the store that adds spends up (``hub``).
"""

from dataclasses import asdict, dataclass
from typing import Any

ADD_REMOVE_PATIENT = "add or remove one patient"


@dataclass(frozen=True)
class Mechanism:
    """One use of a mechanism on the data: its name, purpose, noise scale and cost in zCDP."""

    name: str
    purpose: str
    rho: float
    queries: int
    sigma: float | None = None


@dataclass(frozen=True)
class PrivacySpend:
    """The full cost of one fit; ``rho`` and ``epsilon`` are ``None`` when there is no differential privacy.

    Parameters
    ----------
    mechanisms : tuple of Mechanism
        Every touch of the data; their rho add up to ``rho``.
    rho : float or None
        Zero-concentrated differential privacy (Bun and Steinke, 2016): what the ledger adds up.
    epsilon, delta : float or None
        Approximate differential privacy: what ``rho`` implies, or less where ``accountant`` proves less.
    largest_order : float or None
        Renyi order up to which ``rho`` holds (truncated, Bun, Dwork, Rothblum and Steinke, 2018); ``None``: all orders.
        It is at least the order at which ``rho`` becomes an epsilon at ``delta``, and so does a sum with others.
    secure : bool
        Whether noise was drawn exactly, from the operating system's entropy. Floating-point or seeded noise can be
        taken away by who knows how it was made: such a table must not be released.
    """

    mechanisms: tuple[Mechanism, ...] = ()
    rho: float | None = None
    epsilon: float | None = None
    delta: float | None = None
    neighbouring: str = ADD_REMOVE_PATIENT
    accountant: str = "zCDP, converted by Canonne, Kamath and Steinke (2020)"
    largest_order: float | None = None
    secure: bool = True

    @property
    def private(self) -> bool:
        """Whether the spend is a differential privacy guarantee."""
        return self.rho is not None

    def to_json(self) -> dict[str, Any]:
        """The spend as plain JSON values."""
        return asdict(self)
