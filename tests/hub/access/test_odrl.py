"""Permits: any change of a signed agreement refuses, and so does everything the evaluator does not know."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm.attributes import flag_modified

from hub.access import assessment, odrl, permits, service
from hub.access.form import Kind
from hub.access.tables import Permit
from hub.errors import ForbiddenError, GoneError, NotFoundError
from hub.people.roles import Role
from tests.hub.access.conftest import DATASET, form_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
USE = odrl.Use("me", "derive", "d1", "e", NOW)


def agreement() -> dict[str, Any]:
    return odrl.agreement(
        uid="u", assigner="Body", person_id="me", kind=Kind.SYNTHETIC, dataset_ids=["d1", "d2"], purposes=["d", "e"],
        valid_from=NOW, valid_until=NOW + timedelta(days=30), persons=["Ada"],
    )  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document, its inner nodes included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


SIGNED = odrl.sign(agreement(), KEY, NOW)
PLACES = list(places(SIGNED))


def test_what_is_allowed_is_allowed() -> None:
    odrl.verify(SIGNED, KEY.public_key())
    odrl.evaluate(SIGNED, USE)
    later = odrl.Use("me", "derive", "d2", "d", NOW + timedelta(days=30))
    odrl.evaluate(SIGNED, later)
    # The same use by another person shows that allowing was a decision.
    with pytest.raises(ForbiddenError):
        odrl.evaluate(SIGNED, odrl.Use("you", "derive", "d2", "d", NOW + timedelta(days=30)))


@given(
    st.sampled_from(PLACES),
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.just("remove"), st.just("swap")
    ),
)
def test_any_mutation_is_refused(place: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(SIGNED)
    node = changed
    for key in place[:-1]:
        node = node[key]
    before = node[place[-1]]
    if value == "remove":
        del node[place[-1]]
    elif value == "swap" and isinstance(before, str):
        node[place[-1]] = before.swapcase() if before.swapcase() != before else before + " "
    else:
        node[place[-1]] = value
    if changed == SIGNED:
        return
    with pytest.raises(ForbiddenError):
        odrl.verify(changed, KEY.public_key())


@given(st.sampled_from(["", "permission", "prohibition"]), st.text(min_size=1), st.text())
def test_added_terms_are_refused_even_when_signed(where: str, key: str, value: str) -> None:
    plain = agreement()
    node = plain[where][0] if where else plain
    if key in node:
        return
    node[key] = value
    with pytest.raises(ForbiddenError):
        odrl.evaluate(odrl.sign(plain, KEY, NOW), USE)


@given(st.text(), st.text(), st.one_of(st.text(), st.lists(st.text()), st.none(), st.integers()))
def test_unknown_constraints_are_refused(left: str, operator: str, right: Any) -> None:
    plain = agreement()
    plain["permission"][0]["constraint"].append({"leftOperand": left, "operator": operator, "rightOperand": right})
    with pytest.raises(ForbiddenError):
        odrl.evaluate(plain, USE)


@pytest.mark.parametrize(
    "use",
    [
        odrl.Use("you", "derive", "d1", "e", NOW), odrl.Use("me", "read", "d1", "e", NOW),
        odrl.Use("me", "unknown", "d1", "e", NOW), odrl.Use("me", "derive", "d3", "e", NOW),
        odrl.Use("me", "derive", "d1", "f", NOW), odrl.Use("me", "derive", "d1", "e", NOW - timedelta(seconds=1)),
        odrl.Use("me", "derive", "d1", "e", NOW + timedelta(days=31)), odrl.Use("me", "derive", "d1", "e", NOW, "US"),
        odrl.Use("me", "use", "d1", "e", NOW),
    ],
)  # fmt: skip
def test_every_other_use_is_refused(use: odrl.Use) -> None:
    with pytest.raises(ForbiddenError):
        odrl.evaluate(SIGNED, use)


def test_an_unknown_action_a_missing_constraint_and_another_key_are_refused() -> None:
    for field, value in (("action", "sell"), ("constraint", []), ("target", "urn:phaseiv:dataset:d1")):
        plain = agreement()
        plain["permission"][0][field] = value
        with pytest.raises(ForbiddenError):
            odrl.evaluate(plain, USE)
    with pytest.raises(ForbiddenError):
        odrl.verify(SIGNED, Ed25519PrivateKey.generate().public_key())


def test_check_at_each_use(act: Any, hub: Any, people: Any, offer: str, hub_clock: Any) -> None:
    me = people[Role.DEVELOPER].id
    with act(people[Role.DEVELOPER]) as caller:
        request = service.apply(caller, form_of())

    def checked(**changes: Any) -> Permit:
        use = {"person_id": me, "action": "derive", "dataset_id": DATASET, "purpose": "e", "now": hub_clock()} | changes
        with hub.database.read() as session:
            return permits.check(session, request.permit_id or "", key=hub.keys.signing.public_key(), **use)

    assert checked().id == request.permit_id
    for wrong in ({"action": "read"}, {"dataset_id": "x"}, {"purpose": "a"}):
        with pytest.raises(ForbiddenError):
            checked(**wrong)
    with pytest.raises(NotFoundError):
        checked(person_id=people[Role.HEAD].id)
    with pytest.raises(GoneError, match="expired"):
        checked(now=hub_clock() + timedelta(days=800))
    _replaced_in_the_store(act, people, hub, request.permit_id or "")
    with pytest.raises(ForbiddenError, match="audit log"):
        checked()


def _replaced_in_the_store(act: Any, people: Any, hub: Any, permit_id: str) -> None:
    """A wider agreement, signed with the right key, is put in the permit's place."""
    with act(people[Role.HEAD]) as caller:
        permit = caller.session.get_one(Permit, permit_id)
        plain = {key: value for key, value in permit.odrl.items() if key != "proof"}
        plain["permission"][0]["target"].append("urn:phaseiv:dataset:other")
        permit.odrl = odrl.sign(plain, hub.keys.signing, caller.now)
        flag_modified(permit, "odrl")


def test_revocation_refuses_at_once_and_ends_orders(act: Any, hub: Any, people: Any, offer: str) -> None:
    from hub.access.facts import orders_of

    with act(people[Role.DEVELOPER]) as caller:
        request = service.apply(caller, form_of())
    with act(people[Role.HEAD]) as caller:
        assessment.revoke(caller, request.id, "Misuse.")
    with act(people[Role.DEVELOPER]) as caller:
        assert [order.state for order in orders_of(caller.session, request)] == ["cancelled"]
        with pytest.raises(GoneError, match="revoked"):
            permits.check(
                caller.session, request.permit_id or "", person_id=request.person_id, action="derive", dataset_id=DATASET,
                purpose="e", now=caller.now,
            )  # fmt: skip
