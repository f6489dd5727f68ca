"""A language's word lists.

Belongs here: reading ``lexicon``. Does not belong here: rules that use the words, or which language a text is in (``detection``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from records.errors import ParameterError

LANGUAGES = ("en", "fi", "es", "it", "pt")
AUTO = "auto"


@dataclass(frozen=True)
class Language:
    """Words of one language, lower case; see the comments in ``lexicon/en.yaml``."""

    code: str
    words: Mapping[str, Any]

    def listed(self, what: str) -> frozenset[str]:
        """Words listed under ``what``; empty if the language needs none."""
        return _listed(self.code, what)

    @property
    def months(self) -> Mapping[str, int]:
        """Names and abbreviations of months, with their numbers."""
        return self.words["months"]


@cache
def language(code: str) -> Language:
    """The word lists of a language.

    Raises
    ------
    ParameterError
        The language is not covered.
    """
    if code not in LANGUAGES:
        raise ParameterError(f"language must be one of {', '.join(LANGUAGES)}, got {code!r}; or pass {AUTO!r}")
    words = yaml.safe_load(files("deidentification.text").joinpath(f"lexicon/{code}.yaml").read_text(encoding="utf-8"))
    return Language(code, words)


@cache
def _listed(code: str, what: str) -> frozenset[str]:
    value = language(code).words.get(what) or ""
    parts = value.split(",") if "," in str(value) else str(value).split()
    return frozenset(part.strip() for part in parts)
