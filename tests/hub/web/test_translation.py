"""Every text of the templates has a Finnish form, and no form names other values than its English."""

import re

import pytest

from hub.web.language import finnish
from hub.web.pages import TEMPLATES, environment

SPOKEN = re.compile(r'_\(\s*(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\')')


def spoken() -> set[str]:
    return {a or b for path in TEMPLATES.glob("*.j2") for a, b in SPOKEN.findall(path.read_text(encoding="utf-8"))}


def test_every_text_is_translated() -> None:
    assert sorted(spoken() - finnish().keys()) == []


def test_translations_keep_the_values() -> None:
    holes = re.compile(r"%\(\w+\)s")
    assert all(set(holes.findall(key)) == set(holes.findall(value)) for key, value in finnish().items())


@pytest.mark.parametrize("language", ["en", "fi"])
def test_every_template_compiles(language: str) -> None:
    for path in TEMPLATES.glob("*.j2"):
        assert environment(language).get_template(path.name).name == path.name
