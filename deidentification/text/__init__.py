"""Free text: clinical notes without names, dates, numbers, addresses or places, in five languages.

Belongs here: finding identifiers in prose and writing surrogates in their place. Does not belong here: identifiers in
columns (``deidentification.identification``), nor keys (``deidentification.pseudonyms``).
"""

from deidentification.text.columns import ScrubbedColumn, scrub_column
from deidentification.text.scrubbing import Mode, Scrubbed, scrub
from deidentification.text.spans import Kind, Span

__all__ = ["Kind", "Mode", "Scrubbed", "ScrubbedColumn", "Span", "scrub", "scrub_column"]
