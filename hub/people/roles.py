"""The roles of the hub.

Belongs here: the list of roles and what each is for. Does not belong here: checks on single objects, which live with
the objects.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a person is; one person may have several roles, but never assesses and decides the same request."""

    HOLDER = "holder"
    OFFICER = "officer"
    HEAD = "head"
    DEVELOPER = "developer"
    CHECKER = "checker"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    DPO = "dpo"
    ARBITER = "arbiter"

    @property
    def label(self) -> str:
        """The role in words."""
        return LABELS[self]


LABELS = {
    Role.HOLDER: "Data holder",
    Role.OFFICER: "Access-body officer",
    Role.HEAD: "Access-body head",
    Role.DEVELOPER: "AI developer",
    Role.CHECKER: "Output checker",
    Role.AUDITOR: "Auditor",
    Role.OPERATOR: "Operator",
    Role.DPO: "Data protection officer",
    Role.ARBITER: "Arbiter",
}
EVERYONE = frozenset(Role)
BODY = frozenset({Role.OFFICER, Role.HEAD})
