"""English and Finnish: English text is the key, Finnish lies in ``finnish/*.yaml``, one file a room.

Belongs here: choosing and looking up. Does not belong here: the words.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml
from fastapi import Request

LANGUAGES = {"en": "English", "fi": "Suomi"}
LANGUAGE_COOKIE = "phaseiv_language"
FINNISH = Path(__file__).parent / "finnish"


def chosen_language(request: Request) -> str:
    """The cookie's language, or the first that the browser asks for and the hub speaks."""
    if (kept := request.cookies.get(LANGUAGE_COOKIE)) in LANGUAGES:
        return str(kept)
    asked = (part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(","))
    return next((language for language in asked if language in LANGUAGES), "en")


@cache
def finnish() -> dict[str, str]:
    """English to Finnish, from all rooms."""
    words: dict[str, str] = {}
    for path in sorted(FINNISH.glob("*.yaml")):
        words |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return words


def translator(language: str) -> Callable[[str], str]:
    """From English to ``language``; what has no translation stays English."""
    if language != "fi":
        return lambda text: text
    words = finnish()
    return lambda text: words.get(text, text)
