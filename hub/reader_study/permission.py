"""Whether a study may show real images, to whom, and until when.

Belongs here: the rule. Does not belong here: permits themselves (``hub.access``), or the page that obeys.
"""

import ipaddress
from dataclasses import dataclass
from datetime import date

from records.errors import ParameterError
from records.images import ImageTable


@dataclass(frozen=True)
class Statement:
    """Why real images may be shown to readers; whoever makes the study answers for it.

    Parameters
    ----------
    permit : str or None
        Number of the permit (or ethics approval) that allows it; needs ``valid_until``, the last day.
    local_consent : bool
        The holder lets its own staff look at its own images; they are shown on this machine only.
    """

    permit: str | None = None
    valid_until: date | None = None
    local_consent: bool = False

    def __post_init__(self) -> None:
        if (self.permit is None) != (self.valid_until is None) or self.permit == "":
            raise ParameterError("a permit must come with its last day, got one of them; give both")


def refuse_unstated(real: ImageTable, statement: Statement) -> None:
    """Refuse a study of patients' images that nobody states to be allowed. Phantoms show no patient.

    Raises
    ------
    ParameterError
    """
    if not (real.phantom or statement.permit or statement.local_consent):
        raise ParameterError(
            "a study that shows real images must state what allows it, got no permit and no consent to local use; "
            "give the permit's number and last day, or say that the holder's own staff looks at them on this machine"
        )


def on_this_machine_only(real: ImageTable, synthetic: ImageTable, statement: Statement) -> bool:
    """Whether the pictures may be shown to this machine's own browser alone."""
    kept_here = real.local_only or synthetic.local_only
    return kept_here or not (real.phantom or statement.permit)


def loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
