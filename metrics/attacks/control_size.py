"""What a control as large as the training table would have scored: singling out depends on how many patients there are.

Belongs here: the correction for a control of another size. Does not belong here: the attack (``singling_out``).

A smaller control takes the place of as many random training patients. Where a predicate does not depend on one
patient, the swapped table is as good as the training table. Where it was formed from one patient, it fails if that
patient was swapped out. With ``f`` the share swapped, ``swapped = (1 - f) train + f control``, which is solved for the
control. The mean over all swaps is a hypergeometric probability, so that nothing is drawn.

Giomi et al. (appendix A.1) extrapolate by a model instead: predicates of uniform weight up to a limit. Tried on fresh
patients in the place of both tables (serum free light chain data, 1,900 for 4,400, 1,000 predicates, mean of 12
releases): that model expected 161 successes where 208 were counted (one column) and 46 where 63 were (three columns);
the swap, on other releases, 203 (standard error 7) where 216 (4) were, and 61 (3) where 64 (3) were. anonymeter 1.1.0
means to fit the model but fits it to the number of predicates tried.

References
----------
Giomi et al., 2023, PoPETs 2023(2):312. Cohen and Nissim, 2020, PNAS 117:8344.
"""

import numpy as np
from scipy.stats import hypergeom

from metrics.attacks.predicates import Predicates, counts
from metrics.attacks.risk import Rate, wilson


def control_rate(train: np.ndarray, control: np.ndarray, predicates: Predicates) -> Rate:
    """Success rate on fresh patients as many as the training patients.

    With tables of one size this is Wilson's interval of the successes on the control; else the interval is as wide as
    that of as many attacks as have the spread of the corrected successes.

    Parameters
    ----------
    train, control : numpy.ndarray of float, shape (columns, rows)
    predicates : Predicates
        At least one.
    """
    held = counts(train, predicates), counts(control, predicates)
    each = control_successes(*held, train.shape[1], control.shape[1])
    tried, share = len(each), float(np.clip(each.mean(), 0, 1))
    spread = float(each.var())
    effective = tried if spread == 0 else max(1, min(tried, round(tried * share * (1 - share) / spread)))
    centre, error = wilson(share * tried, tried).value, wilson(share * effective, effective).error
    return Rate(tried, centre, max(0.0, centre - error), min(1.0, centre + error))


def control_successes(in_train: np.ndarray, in_control: np.ndarray, rows: int, control_rows: int) -> np.ndarray:
    """Corrected success of each predicate; unbiased in the mean, a single one may lie outside 0..1.

    Parameters
    ----------
    in_train, in_control : numpy.ndarray of int, shape (predicates,)
        Rows of each table for which the predicates hold.
    rows, control_rows : int
        Sizes of the tables.

    Returns
    -------
    numpy.ndarray of float, shape (predicates,)
    """
    if control_rows >= rows:
        return hypergeom.pmf(1, control_rows, in_control, rows)
    kept = rows - control_rows
    swapped = np.where(
        in_control == 0, hypergeom.pmf(1, rows, in_train, kept),
        np.where(in_control == 1, hypergeom.pmf(0, rows, in_train, kept), 0.0),
    )  # fmt: skip
    share = control_rows / rows
    return (swapped - (1 - share) * (in_train == 1)) / share
