"""Public knowledge written by hand in YAML: codebooks, mappings and their drafts, with errors that say which entry.

Belongs here: a file's text to a checked value. Does not belong here: what the values are (``schema`` and others).
Settings and job descriptions are read elsewhere (``federation``): an error there must not quote what was written.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from records.errors import CodebookError

Value = TypeVar("Value")


def read_codebook_file(path: Path, build: Callable[[dict[str, Any]], Value], what: str) -> Value:
    """The value that ``build`` makes of a YAML file's entries.

    Parameters
    ----------
    what : str
        What the file must be, for the error: ``codebook``, ``OMOP mapping``.

    Raises
    ------
    CodebookError
        The file is missing, not UTF-8, not YAML, or ``build`` refuses an entry.
    """
    try:
        entry = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if not isinstance(entry, dict):
            raise TypeError(f"{type(entry).__name__} instead of named entries")
        return build(entry)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise CodebookError(f"{path.name} must be a valid {what}, got: {error}; mend it") from error
