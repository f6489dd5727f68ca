"""Privacy risk of an attack: its success on training patients beyond its success on patients it cannot know.

Belongs here: success rates with Wilson's interval, the risk they imply, and which columns an attacker knows or seeks.
Does not belong here: the attacks (``singling_out``, ``linkability``, ``inference_risk``).

Success on held-out patients (control) comes from what is true of the population: that is what synthetic data are
for. ``risk = (attack - control) / (1 - control)`` is the share of what remained unknown that the release gives away.

The interval takes attacks for independent, as the protocol does. On releases without any leak (150 of 600 patients,
control 250) its lower bound exceeded 0 in 3 to 7 % of the repetitions instead of 2.5 %: attacks share synthetic rows.

References
----------
Giomi, Boenisch, Wehmeyer and Tasnadi, 2023, A Unified Framework for Quantifying Privacy Risk in Synthetic Data,
PoPETs 2023(2):312. Wilson, 1927, JASA 22:209. Article 29 Working Party, 2014, Opinion 05/2014 (WP216).
"""

from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any

from scipy.stats import norm

from metrics.discrimination import Interval
from metrics.plain import plain
from records.schema import Column, Kind, Role, Schema

ATTACKS = 1000
FEWEST_ATTACKS = 10
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """Share of ``attacks`` that succeeded: the centre of Wilson's interval, and its bounds, 0 to 1."""

    attacks: int
    value: float
    lower: float
    upper: float

    @property
    def error(self) -> float:
        """Half the width of the interval."""
        return (self.upper - self.lower) / 2


@dataclass(frozen=True)
class Risk:
    """One attack of the three kinds that WP216 names; figures are ``None`` where it could not run.

    Parameters
    ----------
    attack : str
        What was done, in words.
    reason : str or None
        Why there are no figures.
    attack_rate, baseline_rate, control_rate : Rate or None
        Success on training patients, of guessing without the synthetic table's rows, and on held-out patients.
    risk, risk_lower, risk_upper : float or None
        0 (the release gives nothing away) to 1; 95 % interval.
    better_than_guessing : bool or None
        Whether the attack beats the baseline; if not, a risk of 0 says little, since the attack was weak.
    """

    attack: str
    reason: str | None = None
    attack_rate: Rate | None = None
    baseline_rate: Rate | None = None
    control_rate: Rate | None = None
    risk: float | None = None
    risk_lower: float | None = None
    risk_upper: float | None = None
    better_than_guessing: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The risk as plain JSON values."""
        return plain(self)


def wilson(hits: float, attacks: int, confidence: float = CONFIDENCE) -> Rate:
    """Wilson's interval; its centre, not ``hits / attacks``, is the estimate (Giomi et al., section 4.2).

    Parameters
    ----------
    hits : float
        0 to ``attacks``; need not be whole where a control was corrected for its size.
    """
    z = float(norm.ppf((1 + confidence) / 2))
    centre = (hits + z**2 / 2) / (attacks + z**2)
    half = z / (attacks + z**2) * sqrt(hits * (attacks - hits) / attacks + z**2 / 4)
    return Rate(attacks, centre, centre - half, centre + half)


def residual(attack: Rate, control: Rate) -> Interval:
    """``(attack - control) / (1 - control)``, with the rates' errors propagated, clipped to 0..1."""
    left = 1 - control.value
    value = (attack.value - control.value) / left
    error = hypot(attack.error / left, control.error * (1 - attack.value) / left**2)
    return Interval(*(min(max(bound, 0.0), 1.0) for bound in (value, value - error, value + error)))


def measured(attack: str, *, train: Rate, baseline: Rate, control: Rate) -> Risk:
    """The risk that three success rates imply."""
    found = residual(train, control)
    beats = train.value > baseline.value
    return Risk(attack, None, train, baseline, control, found.value, found.lower, found.upper, beats)


def worst(risks: list[Risk]) -> Risk | None:
    """The risk with the highest lower bound, then value; ``None`` if no attack could run."""
    known = [r for r in risks if r.risk is not None and r.risk_lower is not None]
    return max(known, key=lambda r: (r.risk_lower or 0.0, r.risk or 0.0), default=None)


def too_few(train: int, control: int, synthetic: int) -> str | None:
    """Why tables of so many rows cannot be attacked, or ``None``."""
    if synthetic == 0:
        return "the synthetic table has no row"
    few = min(train, control)
    return (
        None if few >= FEWEST_ATTACKS else f"{few} patients are too few to attack, at least {FEWEST_ATTACKS} are needed"
    )


def secret_columns(schema: Schema) -> list[Column]:
    """Columns an attacker seeks: sensitive ones, outcomes and the event."""
    named = {outcome.column for outcome in schema.outcomes}
    sought = (Role.SENSITIVE, Role.OUTCOME, Role.EVENT)
    return [c for c in schema.columns if _comparable(c) and (c.role in sought or c.name in named)]


def auxiliary_columns(schema: Schema) -> list[Column]:
    """Columns an attacker may know of a patient: quasi-identifiers and covariates that are not sought."""
    secrets = {c.name for c in secret_columns(schema)}
    known = (Role.QUASI_IDENTIFIER, Role.COVARIATE)
    return [c for c in schema.with_role(*known) if _comparable(c) and c.name not in secrets]


def _comparable(column: Column) -> bool:
    return column.numeric or column.kind is Kind.CATEGORY
