"""Harrell's concordance of a risk score with follow-up, for many resamples of patients at once.

Belongs here: the rank statistic on censored times. Does not belong here: the model behind the score
(``survival_model``).

References
----------
Harrell, Lee and Mark, 1996, Stat Med 15:361.
"""

import numpy as np

ROWS_AT_ONCE = 500


def weighted_concordances(score: np.ndarray, time: np.ndarray, event: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Concordance of each resample: how often the patient who fails first has the higher score, ties counted half.

    Parameters
    ----------
    score : numpy.ndarray of float, shape (rows,)
        Higher is riskier.
    time : numpy.ndarray of float, shape (rows,)
    event : numpy.ndarray of bool, shape (rows,)
    weights : numpy.ndarray of float, shape (resamples, rows)

    Returns
    -------
    numpy.ndarray of float, shape (resamples,)
        0 to 1; NaN where no pair can be compared. Pairs compare if the earlier one failed, or if one of two with the
        same time failed. Work and memory grow with rows times rows (blocks of 500).
    """
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for start in range(0, time.size, ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        later = (time > time[block, None]) | ((time == time[block, None]) & ~event)
        comparable = (event[block, None] & later).astype(np.float32)
        ahead = (score < score[block, None]) + 0.5 * (score == score[block, None])
        won = comparable * ahead.astype(np.float32)
        own, all_weights = weights[:, block], weights.astype(np.float32)
        wins += (own * (all_weights @ won.T)).sum(axis=1)
        pairs += (own * (all_weights @ comparable.T)).sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
