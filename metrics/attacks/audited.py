"""What the last audit of the default synthesizer found, to be shown under a claim.

Belongs here: reading the stored figures (``audited.json``, written by ``python -m benchmarks.attacks audit``). Does not belong
here: auditing (``audit``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STORED = Path(__file__).parent / "audited.json"


def audit_under(claim: float | None) -> Mapping[str, Any] | None:
    """The stored audit whose claim is nearest to ``claim``, by ratio; ``None`` without a claim.

    Returns
    -------
    mapping or None
        ``synthesizer``, ``table``, ``delta``, ``claimed_epsilon``, ``trials``, ``violated``, and the larger of what was seen:
        ``epsilon_lower`` (no assumption) and ``gaussian_epsilon_lower`` (assumes Gaussian noise).
    """
    if claim is None or claim <= 0:
        return None
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    near = min((a["claimed_epsilon"] for a in stored["audits"]), key=lambda asked: max(asked / claim, claim / asked))
    seen = [a for a in stored["audits"] if a["claimed_epsilon"] == near]
    return {
        "synthesizer": stored["synthesizer"], "table": stored["table"], "delta": stored["delta"],
        "claimed_epsilon": near, "trials": seen[0]["trials"],
        "violated": any(a["verdict"] == "violated" for a in seen),
        **{key: max(a[key] for a in seen) for key in ("epsilon_lower", "gaussian_epsilon_lower")},
    }  # fmt: skip
