"""The form's questions in words, in the order in which they are asked.

Belongs here: steps, labels and hints. Does not belong here: what must be answered (``form``).
"""

from dataclasses import dataclass, field

from hub.access.form import Kind

_ALL = frozenset(Kind)
_SECURE = frozenset({Kind.PERMIT, Kind.MPC})
_SYNTHETIC = frozenset({Kind.SYNTHETIC})
_MPC = frozenset({Kind.MPC})
STEPS = ("Who and why", "Which data", "Safeguards", "Declarations")


@dataclass(frozen=True)
class Question:
    """One question; ``widget`` is how it is answered: text, area, lines, number, decimal, or a choice by the field's name."""

    name: str
    step: int
    article: str
    label: str
    hint: str = ""
    widget: str = "area"
    kinds: frozenset[Kind] = field(default=_ALL)


QUESTIONS = (
    Question("applicant", 1, "67(2)(a)", "Who applies", "Name and organisation.", "text"),
    Question("functions", 1, "67(2)(a)", "Your professional functions and activities"),
    Question("persons", 1, "67(2)(a)", "People who would have access", "One name a line.", "lines", _SECURE),
    Question("purposes", 1, "53(1)", "Purposes", "", "purposes"),
    Question("intended_use", 1, "67(2)(c)", "Intended use", "What you will do with the data, in detail."),
    Question("benefit", 1, "67(2)(c)", "Expected benefit", "How it serves the purposes above."),
    Question("rows", 2, "67(2)(d)", "Rows", "How many synthetic people you need.", "number", _SYNTHETIC),
    Question("columns", 2, "67(2)(d)", "Columns", "One name a line; empty means all that may be given.", "lines", _SYNTHETIC | _MPC),
    Question("formats", 2, "67(2)(d)", "Formats", "", "formats", _SYNTHETIC),
    Question("data_scope", 2, "67(2)(d)", "Data you need", "Scope, variables, sources.", "area", _ALL - _SYNTHETIC),
    Question("time_range", 2, "67(2)(d)", "Time range", "", "text", _ALL - _SYNTHETIC),
    Question("geography", 2, "67(2)(d)", "Geographical coverage", "", "text", _ALL - _SYNTHETIC),
    Question("statistical_content", 2, "69(2)(d)", "Statistics you ask for", "", "area", frozenset({Kind.STATISTICS})),
    Question("mpc_question", 2, "67(2)(c)", "What the parties shall compute together", "", "area", _MPC),
    Question(
        "epsilon", 2, "67(2)(d)", "Privacy budget (epsilon)",
        "Of all answers with noise and synthetic tables together, at most 10; empty means exact aggregates only.", "decimal", _MPC,
    ),
    Question(
        "data_format", 2, "66(2)", "Anonymised or pseudonymised", "Anonymised unless that cannot serve your purpose.",
        "data_format", frozenset({Kind.PERMIT}),
    ),
    Question(
        "pseudonymised_reason", 2, "67(2)(e)", "Why anonymised data cannot serve the purpose",
        "Only for pseudonymised data.", "area", frozenset({Kind.PERMIT}),
    ),
    Question("own_datasets", 2, "67(2)(f)", "Data you bring yourself", "", "area", _SECURE),
    Question("safeguards", 3, "67(2)(g)", "Safeguards", "How you prevent misuse and re-identification."),
    Question(
        "lawful_basis", 3, "67(4)", "Lawfulness of the processing",
        "By Article 6(1) of Regulation (EU) 2016/679; needed for pseudonymised data and for statistics.",
        "area", _ALL - _SYNTHETIC,
    ),
    Question("months", 3, "67(2)(h)", "Months", "For how long you need the data.", "number", _SECURE),
    Question("period_reason", 3, "67(2)(h)", "Reasons for that period", "", "area", _SECURE),
    Question("tools", 3, "67(2)(i)", "Tools and computing resources", "", "area", _SECURE),
    Question("ethics", 3, "67(2)(j)", "Ethics assessment", "Where national law requires one.", "area", _SECURE),
    Question(
        "opt_out_exception", 3, "67(2)(k)", "Exception from the right to opt out",
        "Only where national law provides for it; with its justification.", "area", _ALL - _SYNTHETIC,
    ),
    Question("declarations", 4, "54", "I will not use the data for", "", "declarations"),
)  # fmt: skip


def questions(step: int, kind: Kind) -> list[Question]:
    """Questions of one step for one kind of request."""
    return [one for one in QUESTIONS if one.step == step and kind in one.kinds]


def step_of(name: str) -> int:
    """The step on which a field is asked for."""
    return next((one.step for one in QUESTIONS if one.name == name), 1)
