"""Whether a stored permit allows a use of its data now, for every purpose of its request.

Belongs here: from a permit's id to one check of each data set and purpose. Does not belong here: the check (``permits``), the
agreement (``odrl``).

References
----------
Regulation (EU) 2025/327, Articles 61(1) and (4), 68(10), 73(2): use and results only in accordance with the permit.
"""

from collections.abc import Collection, Sequence
from itertools import product

from hub.access import permits
from hub.access.form import Kind
from hub.access.odrl import ACTIONS
from hub.access.tables import Permit, Request
from hub.caller import Caller
from hub.errors import ForbiddenError

SECURE = (Kind.PERMIT, Kind.STATISTICS, Kind.MPC)
"""Kinds whose data stay in a secure processing environment; synthetic data leave by the repository."""


def must_allow(
    caller: Caller, permit_id: str, *, person_id: str, action: str, dataset_ids: Sequence[str],
    columns: Collection[str] = (), epsilon: float = 0.0,
) -> Permit:  # fmt: skip
    """The permit, if its signed agreement allows this person the action on all these data sets now.

    ``columns`` and ``epsilon`` are what a computation takes (``odrl.Use``).

    Raises
    ------
    NotFoundError, ForbiddenError, GoneError
        The permit is another person's; it does not allow the use; it was revoked or is over.
    """
    permit = permits.held_by(caller.session, permit_id, person_id)
    purposes = caller.session.get_one(Request, permit.request_id).form.get("purposes")
    # Where nothing is named, the empty name is checked, which fits no agreement.
    for dataset_id, purpose in product(dataset_ids or [""], purposes or [""]):
        permits.check(caller.session, permit_id, person_id=person_id, action=action, dataset_id=dataset_id,
                      purpose=purpose, now=caller.now, key=caller.hub.keys.signing.public_key(), columns=columns,
                      epsilon=epsilon)  # fmt: skip
    return permit


def action_of_outputs(permit: Permit) -> str:
    """The action under which outputs of a permit are made.

    Raises
    ------
    ForbiddenError
        The permit gives no access to a secure processing environment.
    """
    if permit.kind not in SECURE:
        raise ForbiddenError("a permit must be for a secure processing environment, got another; choose one that is")
    return ACTIONS[Kind(permit.kind)]
