"""The results as one HTML page without scripts or outside links: summary, picture, failed checks, what did not apply.

Belongs here: the page. Does not belong here: the picture (``plot``). The page holds exact counts of records: for the hospital.
"""

import base64
from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harmonisation.quality.plot import heat_map_png
from harmonisation.quality.results import Results

TEMPLATES = Path(__file__).with_name("templates")


def quality_page(results: Results) -> str:
    """The page."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    reasons = Counter((one.type.name, one.reason) for one in results if not one.applies)
    return made.get_template("quality.html.j2").render(
        source=results.source, summary=results.summary(), picture=base64.b64encode(heat_map_png(results)).decode(),
        failed=sorted(results.failed(), key=lambda one: (one.type.category, one.check, one.table)),
        reasons=sorted((check, reason, count) for (check, reason), count in reasons.items()),
    )  # fmt: skip
