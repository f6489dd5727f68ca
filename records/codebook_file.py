"""Public knowledge written by hand in YAML: codebooks, mappings and their drafts, with errors that say which entry.

Belongs here: a file's text to a checked value. Does not belong here: what the values are (``schema`` and others).
Settings and job descriptions are read elsewhere (``federation``): an error there must not quote what was written.
"""

from collections.abc import Callable, Iterator
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
    entry: Any = None
    try:
        entry = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if not isinstance(entry, dict):
            raise TypeError(f"{type(entry).__name__} instead of named entries")
        return build(entry)
    except ValidationError as error:
        raise CodebookError(f"{path.name} must be a valid {what}, got: {mistakes(error, entry)}; mend it") from error
    except FileNotFoundError as error:
        raise CodebookError(f"the {what} must exist, got no file {path.name}; mend the path") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        raise CodebookError(f"{path.name} must be a valid {what}, got: {error}; mend it") from error


def mistakes(error: ValidationError, entry: Any) -> str:
    """Each mistake with its place in what was written, list entries by their name: ``columns.age.kind: ..., got 'int'``."""
    told = []
    for one in error.errors(include_url=False):
        place, value = ".".join(_place(entry, one["loc"])), one["input"]
        got = f", got {value!r}" if isinstance(value, str | int | float) and one["type"] != "value_error" else ""
        told.append((f"{place}: " if place else "") + one["msg"].removeprefix("Value error, ") + got)
    return "; ".join(told)


def _place(entry: Any, where: tuple[int | str, ...]) -> Iterator[str]:
    for step in where:
        try:
            entry = entry[step]
        except (KeyError, IndexError, TypeError):  # missing, or a step inside pydantic's own reading
            entry = None
        named = isinstance(step, int) and isinstance(entry, dict) and isinstance(entry.get("name"), str)
        yield entry["name"] if named else str(step)
