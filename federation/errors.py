"""What can go wrong between parties, each named by the party that caused it.

Belongs here: the errors of the engine. Does not belong here: the ends of a job, to which they lead (``jobs.ends``).
"""

from records.errors import PhaseIVError


class FederationError(PhaseIVError):
    """Base of what goes wrong between parties."""


class PeerError(FederationError):
    """Another party is at fault; ``peer`` is its number in the job."""

    def __init__(self, peer: int, words: str) -> None:
        self.peer = peer
        super().__init__(f"party {peer} must {words}")


class PartyLostError(PeerError):
    """The connection to a party broke."""

    def __init__(self, peer: int) -> None:
        super().__init__(peer, "stay connected until the end of the job, got a broken connection; ask again without it")


class StalledError(PeerError):
    """A party did not answer within the time-out."""

    def __init__(self, peer: int) -> None:
        super().__init__(peer, "answer within the time-out, got nothing; see whether it runs, or ask again without it")


class GarbledError(PeerError):
    """A party sent what the protocol does not allow."""

    def __init__(self, peer: int, got: str = "bytes that cannot be read") -> None:
        super().__init__(peer, f"keep to the protocol, got {got}; see that all parties run the same version")


class MismatchError(FederationError):
    """The parties do not hold the same job or step."""
