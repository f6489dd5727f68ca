"""What was learnt, in plain values: for manifests, experiment tracking and people.

Belongs here: family, graph, measured marginals, split of the budget, and what to expect. Does not belong here: rows.
"""

from typing import TYPE_CHECKING, Any

from models.graphical_synthesizer import GraphicalSynthesizer, most_noise
from records.protocols import Synthesizer

if TYPE_CHECKING:
    from models.autoregressive import TransformerSynthesizer
    from models.trees import TreeSynthesizer

TOO_NOISY_TO_USE = 0.15


def described(model: Synthesizer) -> dict[str, Any]:
    """Plain JSON values that describe a fitted synthesizer.

    Returns
    -------
    dict
        ``family``; for graphical models also ``graph`` (cliques), ``marginals`` (their number), ``rho_split`` (by
        purpose), ``cells``, ``expected_error`` (total variation by noise alone), ``why`` and, if need be, ``merged_levels`` (how many rare levels,
        by column) and ``warning``;
        for the transformer also ``epochs``, ``validation_loss`` or ``noise_multiplier``; for trees ``order``, ``leaves``.
    """
    if not isinstance(model, GraphicalSynthesizer):
        named = {"TransformerSynthesizer": _transformer, "TreeSynthesizer": _trees}
        return named.get(type(model).__name__, _plainly)(model)
    found: dict[str, Any] = {
        "family": "graphical model", "graph": [" x ".join(c) for c in model.model_.tree.cliques],
        "marginals": len(model.measurements_), "cells": model.model_.tree.cells,
        "rho_split": _split(model), "expected_error": round(model.expected_error_, 4), "why": _reason(model),
    }  # fmt: skip
    if model.rare_.shares:
        found["merged_levels"] = {name: len(rare) for name, rare in model.rare_.shares.items()}
    return found | _warning(model)


def _warning(model: GraphicalSynthesizer) -> dict[str, str]:
    told = []
    if model.expected_error_ > TOO_NOISY_TO_USE:
        told.append(
            f"the patients must outweigh the noise, which alone moves a measured table by {model.expected_error_:.0%}; "
            "raise epsilon, add patients or leave out columns"
        )
    if len(model.schema_.columns) > 1 and all(len(m.attributes) == 1 for m in model.measurements_):
        told.append(
            "columns must be measured together to follow each other, got none that were, so that covariates are drawn "
            "independently; name an outcome in the codebook, raise epsilon or add patients"
        )
    return {"warning": "; ".join(told)} if told else {}


def _transformer(model: "TransformerSynthesizer") -> dict[str, Any]:
    """``weights`` and ``epochs``; ``validation_loss`` (nats) and ``losses``, or ``noise_multiplier``, ``steps``."""
    weights = sum(part.numel() for part in model.network_.parameters())
    found = {"family": "any-order transformer", "weights": weights, "epochs": model.training_.epochs}
    if model.plan_ is None:
        losses = [round(loss, 4) for loss in model.training_.losses]
        why = f"no differential privacy was asked for: stopped by held-back patients after {len(losses) - 1} epochs"
        return found | {"validation_loss": min(losses), "losses": losses, "why": why}
    plan = model.plan_
    return found | {
        "noise_multiplier": round(plan.noise_multiplier, 4), "steps": plan.steps, "sampling_rate": plan.sampling_rate,
        "secure": model.secure_, "why": f"DP-SGD over {plan.steps} steps, the transformer was asked for",
        "warning": "noise must be drawn exactly for a release, got torch's floating-point generator: the guarantee "
        "holds for exact arithmetic only, and releases are refused; use auto for a release",
    }  # fmt: skip


def _trees(model: "TreeSynthesizer") -> dict[str, Any]:
    """``order`` of the attributes, ``leaves`` of all trees together, ``min_leaf`` and ``penalty``."""
    return {
        "family": "classification trees", "order": model.order_, "min_leaf": model.min_leaf, "penalty": model.penalty,
        "leaves": sum(leaves.nodes.size for leaves in model.leaves_.values()),
        "why": f"no differential privacy was asked for: drawn from leaves of at least {model.min_leaf} patients",
    }  # fmt: skip


def _plainly(model: Synthesizer) -> dict[str, Any]:
    return {"family": type(model).__name__, "why": "no differential privacy was asked for"}


def _split(model: GraphicalSynthesizer) -> dict[str, float]:
    split: dict[str, float] = {}
    for mechanism in model.privacy_.mechanisms:
        purpose = mechanism.purpose if mechanism.queries > 1 or "x" not in mechanism.purpose else "adaptive counts"
        split[purpose] = split.get(purpose, 0.0) + mechanism.rho
    return {purpose: round(rho, 8) for purpose, rho in split.items()}


def _reason(model: GraphicalSynthesizer) -> str:
    if not model.privacy_.private:
        return "no differential privacy was asked for: exact counts of the marginals that the model gets most wrong"
    if model.selection != "auto":
        return f"the selection {model.selection} was asked for"
    limit = most_noise(model.schema_)
    relation = "above" if model.expected_error_ > limit else "at most"
    chosen = "star, for pairs of covariates would drown" if relation == "above" else "aim, for there is room to adapt"
    return f"noise moves a table by {model.expected_error_:.1%}, {relation} {limit:.0%}: {chosen}"
