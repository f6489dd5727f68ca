"""Notes in a table file: read for scrubbing, written without whoever they are about.

Belongs here: files in and out. Does not belong here: scrubbing (``deidentification.text``).
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from records.errors import ParameterError
from records.files import write_atomically
from records.reading import read_table


def read_notes(source: Path, text: str, patient: str, language: str, known: Sequence[str]) -> pl.DataFrame:
    """The table's named columns, as text; ``language`` may name one.

    Raises
    ------
    ParameterError
        A column is not there.
    """
    frame = read_table(source)
    spoken = [language] if language in frame.columns else []
    wanted = list(dict.fromkeys([patient, text, *known, *spoken]))
    if missing := [name for name in wanted if name not in frame.columns]:
        raise ParameterError(
            f"a column must be one of {', '.join(frame.columns)}, got {missing[0]}; name another column"
        )
    return frame.select(pl.col(name).cast(pl.String) for name in wanted)


def write_notes(out: Path, scrubbed: pl.DataFrame, text: str, patient: str, key: bytes) -> None:
    """Pseudonyms and notes, sorted by pseudonym, so that the source's order is not told."""
    from deidentification.pseudonyms import pseudonymise
    from deidentification.table import table_bytes

    table = scrubbed.select(pseudonymise(scrubbed[patient], key), pl.col(text)).sort("pseudonym")
    write_atomically(out, table_bytes(out, table))
