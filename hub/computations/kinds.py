"""Kinds of computations, as the parties of a federation know them, with what each takes.

Belongs here: the list and its words. Does not belong here: checking a description (``description``, ``checks``).
"""

from dataclasses import dataclass
from enum import StrEnum


class Noise(StrEnum):
    """Whether answers of a kind carry noise (differential privacy), and so cost epsilon."""

    NEVER = "never"
    OPTIONAL = "optional"
    ALWAYS = "always"


@dataclass(frozen=True)
class Computation:
    """One kind; ``columns`` is the least number of columns, ``None`` where none are used."""

    name: str
    group: str
    label: str
    hint: str
    columns: int | None
    noise: Noise
    parameters: tuple[str, ...] = ()


STATISTICS, MODELS, SYNTHESIS = "Statistics", "Models", "Synthesis"
OUTCOME = ("outcome", "positive", "horizon")

KINDS: dict[str, Computation] = {
    one.name: one
    for one in (
        Computation("count", STATISTICS, "Number of patients", "All, or those that fulfil the filters.", None,
                    Noise.OPTIONAL, ("bound",)),
        Computation("histogram", STATISTICS, "Histograms", "Counts of each column's levels or bins.", 1, Noise.OPTIONAL,
                    ("bound",)),
        Computation("contingency", STATISTICS, "Contingency table", "Counts over several columns together.", 2,
                    Noise.OPTIONAL, ("bound",)),
        Computation("linked_contingency", STATISTICS, "Linked contingency table",
                    "Columns of the same patients at two hospitals.", 2, Noise.OPTIONAL, ("holders",)),
        Computation("moments", STATISTICS, "Means and variances", "Of numeric columns; by groups if you like.", 1,
                    Noise.NEVER, ("by",)),
        Computation("correlation", STATISTICS, "Correlations", "Of numeric columns.", 2, Noise.NEVER),
        Computation("quantiles", STATISTICS, "Quantiles", "Of numeric columns.", 1, Noise.NEVER, ("shares",)),
        Computation("kaplan_meier", STATISTICS, "Kaplan-Meier curve", "Choose follow-up time and event; by groups if you like.",
                    2, Noise.NEVER, ("by", "interval")),
        Computation("log_rank", STATISTICS, "Log-rank test", "Choose follow-up time, event and the groups' column.", 3,
                    Noise.NEVER, ("by", "interval")),
        Computation("intersection", STATISTICS, "Patients at several hospitals", "How many are known to more than one.", None,
                    Noise.NEVER),
        Computation("logistic", MODELS, "Logistic regression", "The outcome and all other chosen columns.", 2, Noise.NEVER,
                    OUTCOME),
        Computation("cox", MODELS, "Cox regression", "Follow-up time, event and all other chosen columns.", 3, Noise.NEVER,
                    ("strata", "interval")),
        Computation("training", MODELS, "Small neural network", "The outcome and all other chosen columns.", 2,
                    Noise.OPTIONAL, (*OUTCOME, "hidden", "rounds", "rate", "clip", "prior", "seed")),
        Computation("synthesis", SYNTHESIS, "Synthetic table", "Learnt without access to any patient.", 2, Noise.ALWAYS),
    )
}  # fmt: skip
GROUPS = (STATISTICS, MODELS, SYNTHESIS)
