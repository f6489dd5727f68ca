"""What a scan found: a column, the kind of identifier, and in how many rows. Never a value.

Belongs here: the result of a scan. Does not belong here: scanning (``scan``, ``own_identifiers``).
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Concern(StrEnum):
    """What follows from a finding."""

    IDENTIFIER = "identifier"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """Identifiers of one kind in one column.

    Parameters
    ----------
    column : str
    kind : str
        For instance ``FI henkilötunnus``, ``e-mail``, ``person names``, ``patients' own identifiers``.
    rows : int
        Rows that hold one.
    share : float
        ``rows`` among the rows where the column is known, 0 to 1.
    concern : Concern
        Identifiers are refused in a covariate; warnings (``almost unique``, ``free text``) are for a person to judge.
    """

    column: str
    kind: str
    rows: int
    share: float
    concern: Concern = Concern.IDENTIFIER

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return {**asdict(self), "share": round(self.share, 4), "concern": str(self.concern)}
