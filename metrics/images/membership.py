"""Can it be told from synthetic images who was in the training data? Attacks on patients with all their images.

Belongs here: distance and density-ratio attacks in pixel and feature space, with intervals over patients. Does not belong
here: copies (``copies``), the guarantee (differential privacy) or the decision (``gate``). An attack that fails proves
nothing by itself; it can only find a leak.

Members are training patients, controls holdout patients; the split must be random. The attacker holds the synthetic images
and other patients' images as a reference: half of the controls, never the half that is attacked. A patient's score is that
of the image that gives most away.

References
----------
Chen et al., 2020, CCS (GAN-Leaks). van Breugel et al., 2023, AISTATS (DOMIAS). Yao et al., 2025, ESORICS (the distance to
the closest record does not measure privacy: here it is an attack that is tested, never a certificate).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.attacks.averaged_auc import ScoredDraw, averaged_auc
from metrics.attacks.membership import detectable_auc
from metrics.discrimination import Interval
from metrics.images.features import Extractor
from metrics.images.intensities import pooled, unit_pixels
from metrics.images.nearest import nearest
from metrics.plain import plain
from records.images import ImageSchema, ImageTable

MOST_PATIENTS, MOST_SYNTHETIC, PIXELS = 2000, 5000, 28
FEWEST_PATIENTS = 20
NEIGHBOURS = 5
SMALLEST = 1e-6


@dataclass(frozen=True)
class Vectors:
    """Images of some patients as vectors, and the patient of each: 0 to ``patients - 1``."""

    values: np.ndarray
    groups: np.ndarray
    patients: int

    def of(self, wanted: np.ndarray) -> "Vectors":
        """The images of the wanted patients, numbered anew in that order."""
        place = np.full(self.patients, -1)
        place[wanted] = np.arange(len(wanted))
        kept = place[self.groups] >= 0
        return Vectors(self.values[kept], place[self.groups[kept]], len(wanted))


Attack = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def nearest_copy(candidates: np.ndarray, synthetic: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Minus the distance to the nearest synthetic image; ``reference`` is not used."""
    return -nearest(candidates, synthetic)


def density_ratio(candidates: np.ndarray, synthetic: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Log ratio of the distances to other patients' images (mean of 5) and to the nearest synthetic one."""
    usual = nearest(candidates, reference, neighbours=NEIGHBOURS)
    return np.log((usual + SMALLEST) / (nearest(candidates, synthetic) + SMALLEST))


ATTACKS: Mapping[str, Attack] = {"nearest copy": nearest_copy, "density ratio": density_ratio}


@dataclass(frozen=True)
class MembershipReport:
    """Aggregates only; ``None`` where ``reason`` says why.

    Parameters
    ----------
    attacks : list of dict
        ``attack``, ``space``, ``auc``, ``lower``, ``upper``: AUC over patients with Wilson's 95 % interval.
    auc, auc_lower : float or None
        Of the attack with the highest AUC.
    auc_upper : float or None
        The highest upper bound of all attacks: each is at 95 %, so all attacks lie below it at 95 %.
    smallest_detectable_auc : float or None
        True AUC that would be told from 0.5 in 8 of 10 repetitions with so many patients.
    """

    reason: str | None
    members: int
    controls: int
    attacks: tuple[Mapping[str, Any], ...] = ()
    auc: float | None = None
    auc_lower: float | None = None
    auc_upper: float | None = None
    smallest_detectable_auc: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return plain(self)


def image_membership(
    train: ImageTable, holdout: ImageTable, synthetic: ImageTable, schema: ImageSchema, extractor: Extractor, *,
    rng: np.random.Generator,
) -> MembershipReport:  # fmt: skip
    """Attack synthetic images.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws at most 2,000 members, 2,000 controls, 5,000 synthetic images, and halves.
    """
    chosen = [rng.permutation(len(table.patients))[:MOST_PATIENTS] for table in (train, holdout)]
    sizes = len(chosen[0]), len(chosen[1])
    if min(sizes) < FEWEST_PATIENTS or not len(synthetic):
        few = f"{min(sizes)} patients are too few for an attack, at least {FEWEST_PATIENTS} are needed"
        return MembershipReport(few if len(synthetic) else "there is no synthetic image", *sizes)
    made = synthetic.select(rng.permutation(len(synthetic))[:MOST_SYNTHETIC])
    found = []
    for space, vectors in spaces(schema, extractor).items():
        members, controls = (
            Vectors(vectors(table), table.groups(), len(table.patients)).of(some)
            for table, some in zip((train, holdout), chosen, strict=True)
        )
        for name, attack in ATTACKS.items():
            area = attacked(attack, members, controls, vectors(made))
            found.append({"attack": name, "space": space, "auc": area.value, "lower": area.lower, "upper": area.upper})
    worst = max(found, key=lambda entry: entry["auc"])
    return MembershipReport(
        None, *sizes, tuple(found), worst["auc"], worst["lower"], max(entry["upper"] for entry in found),
        detectable_auc(*sizes),
    )  # fmt: skip


def spaces(schema: ImageSchema, extractor: Extractor) -> dict[str, Callable[[ImageTable], np.ndarray]]:
    """Name of a space to the function that puts images there: pixels, and the extractor's features."""

    def pixels(table: ImageTable) -> np.ndarray:
        return pooled(unit_pixels(table, schema), PIXELS).reshape(len(table), -1).astype(float)

    return {"pixels": pixels, extractor.id: lambda table: extractor(unit_pixels(table, schema))}


def attacked(attack: Attack, members: Vectors, controls: Vectors, synthetic: np.ndarray) -> Interval:
    """AUC of one attack over patients, each half of them against the other half of the controls as reference."""
    halves = [_halved(side.patients) for side in (members, controls)]
    scores: list[np.ndarray] = []
    for side, (first, second) in zip((members, controls), halves, strict=True):
        own = [side.of(first), side.of(second)]
        reference = [controls.of(halves[1][1]), controls.of(halves[1][0])]
        parts = [_by_patient(attack, part, synthetic, r.values) for part, r in zip(own, reference, strict=True)]
        scores.append(np.concatenate(parts))
    return averaged_auc([ScoredDraw(scores[0], scores[1], np.arange(len(scores[0])), np.arange(len(scores[1])))])


def _halved(patients: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(patients // 2), np.arange(patients // 2, patients)


def _by_patient(attack: Attack, candidates: Vectors, synthetic: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Highest score of each patient's images, shape (patients,)."""
    score = np.full(candidates.patients, -np.inf)
    np.maximum.at(score, candidates.groups, attack(candidates.values, synthetic, reference))
    return score
