"""The index in memory finds what a plain reading of all descriptions finds, and follows what is published."""

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalogue import search
from hub.catalogue.search import FACETS, Index, folded, index_of, words_of
from hub.catalogue.service import _counts, draft, publish, withdraw
from hub.catalogue.service import search as find
from hub.deployment import Deployment
from hub.people.roles import Role
from tests.hub.catalogue.test_healthdcat import record

WORDS = st.sampled_from(["stroke", "str", "Äiti", "aiti", "lung", "12", "a"])
ROW = Any


def row(number: int, words: list[str], theme: list[str], synthetic: bool) -> ROW:
    text = folded(" ".join(words))
    values = [f"d{number}", words[0] if words else "", text, " ".join(theme), "", "PUBLIC", "Oulu", synthetic, ""]
    named = ("id", "title", "words", *FACETS)

    class Row(tuple[Any, ...]):
        __slots__ = ()

        def __getattr__(self, name: str) -> Any:
            return self[named.index(name)]

    return Row(values)


ROWS = st.lists(st.tuples(st.lists(WORDS, max_size=4), st.lists(st.sampled_from(["HEAL", "TECH"]), unique=True),
                          st.booleans()), max_size=12).map(lambda many: [row(i, *one) for i, one in enumerate(many)])  # fmt: skip
CHOSEN = st.dictionaries(st.sampled_from(["theme", "synthetic"]), st.sampled_from(["HEAL", "TECH", "true", "x"]))


def fits(one: ROW, chosen: dict[str, str]) -> bool:
    has = {"theme": one.theme.split(), "synthetic": [str(one.synthetic).lower()]}
    return all(value in has[name] for name, value in chosen.items())


@given(ROWS, st.lists(WORDS, max_size=3), CHOSEN)
def test_the_index_finds_what_reading_all_finds(rows: list[ROW], asked: list[str], chosen: dict[str, str]) -> None:
    index, text = Index(rows), " ".join(asked)
    hits = [r for r in rows if all(any(w.startswith(a) for w in words_of(r.words)) for a in words_of(text))]
    found = index.find(text)
    assert [index.ids[p] for p in found] == [r.id for r in hits]
    shown = [r for r in hits if fits(r, chosen)]
    narrowed = index.narrowed(found, chosen)
    first = (words_of(text) or [""])[0]
    expected = sorted(shown, key=lambda r: first not in folded(r.title))
    assert index.page(narrowed, text, 0, 100) == [r.id for r in expected]
    assert index.page(narrowed, text, 1, 3) == [r.id for r in expected][1:3]
    others = {name: value for name, value in chosen.items() if name != "theme"}
    themes = Counter(t for r in hits if fits(r, others) for t in r.theme.split())
    assert _counts(index.groups(found), chosen)["theme"] == dict(themes)


def test_the_index_follows_what_is_published_changed_and_withdrawn(
    hub: Deployment, as_caller: Callable[..., Any], people: Any
) -> None:
    def found(text: str) -> list[str]:
        with hub.database.read() as session:
            return [d.id for d in find(session, text).items]

    assert found("stroke") == []
    with as_caller(people[Role.HOLDER]) as caller:
        draft(caller, "one", record(title="Stroke"))
    assert found("stroke") == []
    with as_caller(people[Role.HOLDER]) as caller:
        publish(caller, "one")
    assert found("stroke") == ["one"]
    with as_caller(people[Role.HOLDER]) as caller:
        withdraw(caller, "one")
    assert found("stroke") == []


def test_a_large_catalogue_is_looked_at_once_a_second_and_never_shows_what_was_withdrawn(
    hub: Deployment, as_caller: Callable[..., Any], people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(search, "LARGE", 1)
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with as_caller(people[Role.HOLDER]) as caller:
        for name in ("one", "two"):
            draft(caller, name, record(title="Stroke"))
            publish(caller, name)
    with hub.database.read() as session:
        assert find(session, "stroke").total == 2
    with as_caller(people[Role.HOLDER]) as caller:
        withdraw(caller, "one")
    with hub.database.read() as session:
        assert [d.id for d in find(session, "stroke").items] == ["two"]
        assert index_of(session) is index_of(session)
        now[0] += 1
        assert find(session, "stroke").total == 1
