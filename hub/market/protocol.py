"""The contract negotiation of the Dataspace Protocol: states, who may send which message when, and the messages' shape.

Belongs here: the state machine and JSON-LD of messages, without a store. Does not belong here: carrying them out
(``negotiation``). A connector such as Eclipse EDC would send and take these messages over the protocol's HTTPS binding; the hub
serves both sides itself and has no such binding.

References
----------
Dataspace Protocol 2025-1, section 7: states, message types, contract negotiation. ``REQUESTED`` and ``OFFERED`` may follow one
another as counter-offers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.errors import StateError

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"


class State(StrEnum):
    """Where a negotiation stands; the last two are final."""

    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    TERMINATED = "TERMINATED"


class Side(StrEnum):
    """The buyer is the protocol's consumer, the holder its provider."""

    CONSUMER = "consumer"
    PROVIDER = "provider"


FINAL = frozenset({State.FINALIZED, State.TERMINATED})
OPEN = frozenset(State) - FINAL


@dataclass(frozen=True)
class Transition:
    """A message: from which states, to which, by whom. A negotiation begins from no state."""

    message: str
    come_from: frozenset[State]
    to: State
    by: frozenset[Side]
    begins: bool = False


def _by(message: str, to: State, side: Side, *come_from: State, begins: bool = False) -> Transition:
    return Transition(message, frozenset(come_from), to, frozenset({side}), begins)


EVENT = "ContractNegotiationEventMessage"
TRANSITIONS = {
    "request": _by("ContractRequestMessage", State.REQUESTED, Side.CONSUMER, State.OFFERED, begins=True),
    "offer": _by("ContractOfferMessage", State.OFFERED, Side.PROVIDER, State.REQUESTED),
    "accept": _by(EVENT, State.ACCEPTED, Side.CONSUMER, State.OFFERED),
    "agree": _by("ContractAgreementMessage", State.AGREED, Side.PROVIDER, State.REQUESTED, State.ACCEPTED),
    "verify": _by("ContractAgreementVerificationMessage", State.VERIFIED, Side.CONSUMER, State.AGREED),
    "finalize": _by(EVENT, State.FINALIZED, Side.PROVIDER, State.VERIFIED),
    "terminate": Transition("ContractNegotiationTerminationMessage", OPEN, State.TERMINATED, frozenset(Side)),
}


def after(state: State | str, step: str, side: Side) -> State:
    """The state that a step of one side leads to.

    Raises
    ------
    StateError
        The step is not this side's, or the state does not allow it.
    """
    transition = TRANSITIONS[step]
    if side not in transition.by or State(state) not in transition.come_from:
        raise StateError(
            f"the negotiation must allow this step to the {side}, got one that is {state}; reload the page"
        )
    return transition.to


def allowed(state: State | str, side: Side) -> list[str]:
    """Steps that one side may take next."""
    return [step for step, one in TRANSITIONS.items() if side in one.by and State(state) in one.come_from]


def message(step: str, *, provider: str, consumer: str, callback: str, **body: Any) -> dict[str, Any]:
    """A message as JSON-LD; ``body`` is its offer, agreement or reasons, ``provider`` and ``consumer`` are the process ids."""
    pids = {"providerPid": f"urn:uuid:{provider}", "consumerPid": f"urn:uuid:{consumer}"}
    transition = TRANSITIONS[step]
    event = {"eventType": transition.to.value} if transition.message == EVENT else {}
    told = {"callbackAddress": callback} if step in ("request", "offer", "agree") else {}
    return {"@context": [CONTEXT], "@type": transition.message, **pids, **event, **body, **told}


def acknowledged(state: State | str, *, provider: str, consumer: str) -> dict[str, Any]:
    """The negotiation as the protocol's answer to a message."""
    return {
        "@context": [CONTEXT], "@type": "ContractNegotiation", "providerPid": f"urn:uuid:{provider}",
        "consumerPid": f"urn:uuid:{consumer}", "state": str(state),
    }  # fmt: skip


def offer_in_message(offer: dict[str, Any], target: str) -> dict[str, Any]:
    """An offer as messages carry it: with its target, in the message's context."""
    return {name: value for name, value in offer.items() if name != "@context"} | {"target": target}
