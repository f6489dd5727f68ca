"""The figures that matter most, where they lie in an evaluation's JSON, and which way is better.

Belongs here: the one list that the comparison, the summaries and experiment tracking share. Does not belong here: limits
(``gate``) or layout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Headline:
    """A figure: its words, the path in the JSON, whether ``lower`` or ``higher`` is better, and a reference's path."""

    label: str
    path: str
    better: str
    reference: str | None = None
    reference_label: str = ""


HEADLINES = (
    Headline("Prediction trained on synthetic (TSTR, AUC)", "utility.tstr_auc", "higher", "utility.trtr_auc", "real"),
    Headline("Loss of AUC by synthetic data", "utility.tstr_loss", "lower"),
    Headline("Cox model: concordance", "utility.cox.tstr_concordance.value", "higher", "utility.cox.trtr_concordance.value", "real"),
    Headline("Mean distance of pairs (two-way TVD)", "fidelity.mean_tvd2", "lower"),
    Headline(
        "The same at the holdout's size", "fidelity.synthetic_matched.mean_tvd2", "lower", "fidelity.holdout.mean_tvd2",
        "real holdout",
    ),
    Headline("Mean distance of triples (three-way TVD)", "fidelity.triples.mean.synthetic", "lower"),
    Headline("Told from real rows (two-sample test, AUC)", "fidelity.two_sample.auc.synthetic.value", "lower"),
    Headline("Survival: mean gap of Kaplan-Meier curves", "fidelity.survival.synthetic.mean", "lower",
             "fidelity.survival.holdout.mean", "real holdout"),
    Headline("Membership attack (density ratio, AUC)", "privacy.auc", "lower"),
    Headline("Strongest membership attack (AUC)", "privacy.membership.worst.auc", "lower"),
    Headline("Its upper bound", "privacy.membership.worst.auc_upper", "lower"),
    Headline("Singling out: risk", "privacy.singling_out.worst.risk", "lower"),
    Headline("Linkability: risk", "privacy.linkability.risk", "lower"),
    Headline("Inference of a secret: worst risk", "privacy.inference.worst.risk", "lower"),
    Headline("Exact copies beyond chance", "privacy.exact_copies_excess", "lower"),
    Headline("Worst subgroup: loss of AUC", "utility.subgroups.worst.loss", "lower"),
    Headline("Epsilon (differential privacy)", "spend.epsilon", "lower"),
)  # fmt: skip


def at(document: Mapping[str, Any], path: str | None) -> Any:
    """The value at a dotted path, ``None`` where there is none."""
    value: Any = document
    for key in path.split(".") if path else [""]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def numbers(document: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Every single number of an evaluation by its dotted path, for experiment tracking.

    Lists are left out, but for entries that name themselves by ``attack``, ``group`` or ``name``.
    """
    found: dict[str, float] = {}
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= numbers(value, f"{path}.")
        elif isinstance(value, list):
            for entry in value:
                if name := _named(entry):
                    found |= numbers(entry, f"{path}.{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[path] = float(value)
    return found


def _named(entry: Any) -> str:
    """Name of a list's entry, such as ``gen_lra.all``; empty if it has none."""
    if not isinstance(entry, Mapping):
        return ""
    return ".".join(str(entry[key]) for key in ("attack", "group", "name") if isinstance(entry.get(key), str))
