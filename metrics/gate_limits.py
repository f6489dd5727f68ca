"""The limits of a release: one readable list for each use case.

Belongs here: limits with their defaults and meaning. Does not belong here: applying them (``gate_rules``).
"""

from pydantic import Field

from records.schema import Frozen


class Limits(Frozen):
    """What a candidate must keep to be released.

    Parameters
    ----------
    max_epsilon, max_delta : float
        Differential privacy of the release.
    max_membership_auc_lower : float
        The lower 95 % bound of the membership attack's AUC must not exceed it (0.5 is guessing).
    max_worst_attack_auc_lower, max_worst_attack_auc_upper : float
        Bounds of the strongest of all membership attacks, adjusted for their number: the lower one over all groups of
        patients must show no leak, the upper one over all candidates must exclude a large one.
    max_exact_copies_excess, max_near_copies_excess : float
        Share of synthetic rows that (nearly) copy a training patient, beyond chance.
    max_singling_out_risk, max_linkability_risk, max_inference_risk : float
        Lower 95 % bounds of the three risks that WP216 names, beyond what is true of the population.
    max_reconstruction_advantage : float
        Lower bound of what linear reconstruction of a secret gains on training patients over others.
    min_attack_candidates : int
        Fewest members attacked; with fewer, a harmless attack is no evidence.
    max_tstr_loss, min_tstr_auc, min_tstr_auc_lower : float
        Loss of AUC against training on real data, the least AUC, and its least lower bound (0.5 is guessing).
    max_mean_tvd2 : float
        Mean two-way total variation distance to the training table.
    max_subgroup_loss : float
        Lower bound of the loss of AUC in the worst group of patients that is large enough to tell.
    max_broken_rows : float
        Share of rows that break a constraint of the codebook.
    min_rows : int
        Fewest synthetic rows.
    allow_non_private : bool
        Whether a candidate without differential privacy may pass.
    """

    max_epsilon: float = Field(default=10.0, gt=0)
    max_delta: float = Field(default=1e-3, gt=0, lt=1)
    max_membership_auc_lower: float = Field(default=0.55, ge=0, le=1)
    max_worst_attack_auc_lower: float = Field(default=0.55, ge=0, le=1)
    max_worst_attack_auc_upper: float = Field(default=0.65, ge=0, le=1)
    max_exact_copies_excess: float = Field(default=0.01, ge=0, le=1)
    max_near_copies_excess: float = Field(default=0.05, ge=0, le=1)
    max_singling_out_risk: float = Field(default=0.1, ge=0, le=1)
    max_linkability_risk: float = Field(default=0.1, ge=0, le=1)
    max_inference_risk: float = Field(default=0.1, ge=0, le=1)
    max_reconstruction_advantage: float = Field(default=0.05, ge=0, le=1)
    min_attack_candidates: int = Field(default=30, ge=0)
    max_tstr_loss: float = Field(default=0.15, ge=0, le=1)
    min_tstr_auc: float = Field(default=0.5, ge=0, le=1)
    min_tstr_auc_lower: float = Field(default=0.5, ge=0, le=1)
    max_subgroup_loss: float = Field(default=0.2, ge=0, le=1)
    max_broken_rows: float = Field(default=0.01, ge=0, le=1)
    max_mean_tvd2: float = Field(default=0.35, ge=0, le=1)
    min_rows: int = Field(default=50, ge=0)
    allow_non_private: bool = False
