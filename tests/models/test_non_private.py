"""Without differential privacy the graphical model follows the patients closely and does not give them away."""

import numpy as np
import pytest

from metrics.attacks.membership import privacy
from models.graphical_synthesizer import GraphicalSynthesizer
from tests.models.bundled import learnt_from


@pytest.mark.slow
def test_members_are_not_told_apart() -> None:
    """Density-ratio membership AUC on equal halves of real patients: its interval reaches down to chance."""
    table, schema = learnt_from("support2_lung")
    order = np.random.default_rng(0).permutation(table.height)
    members, controls = table[order[: table.height // 2]], table[order[table.height // 2 :]]
    rng = np.random.default_rng(1)
    model = GraphicalSynthesizer(secure=False).fit(members, schema, budget=None, rng=rng)
    assert not model.privacy_.private
    assert model.model_.tree.cells <= 5 * members.height
    made = model.sample(members.height, rng=rng)
    report = privacy(members, controls, made, schema, rng=rng, candidate_sha256="x").to_json()
    assert report["auc_lower"] <= 0.52
