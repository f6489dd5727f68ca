"""Files of FHIR, de-identified: bundles, single resources and NDJSON.

Belongs here: reading, two passes, writing whole or not at all, the report. Does not belong here: what happens to a resource
(``engine``). The first pass learns who the patients are, the second writes; of each file only one is in memory.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from deidentification.fhir.engine import Counts, deidentified
from deidentification.fhir.keys import Names
from deidentification.fhir.people import People, of_a_patient
from deidentification.fhir.rules import ELEMENTS
from deidentification.fhir.values import Person, Scope, Scrub
from deidentification.opt_out import OptOuts
from deidentification.pseudonyms import pseudonymise, refuse_short_key
from deidentification.shift import shift_days
from records.errors import StorageError
from records.files import write_atomically
from records.folders import whole_folder

ENDINGS = (".json", ".ndjson")
_TYPES = ("document", "message", "transaction", "batch", "history", "searchset", "collection")
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")
Json = dict[str, Any]


@dataclass(frozen=True)
class FhirReport:
    """What happened, by path of the rules; never a value.

    Parameters
    ----------
    files, patients, excluded : int
        Files, patients in the source, and those of them who were left out because they opted out.
    resources : mapping of str to int
        Type to number of resources that were written.
    removed : mapping of str to int
        Type (``unknown`` for one that the rules do not know) to number of resources that were not.
    of_nobody : int
        Resources whose reference leads to no Patient in the files: their dates are moved by that reference, and where there is a
        register of opt-outs they are not written, as nobody can tell whose they are.
    elements : mapping of str to mapping of str to int
        ``Patient.name`` to ``{"removed": 12}``; ``kept``, ``changed``, ``removed`` or ``resource removed``.
    """

    files: int
    patients: int
    excluded: int
    resources: dict[str, int]
    removed: dict[str, int]
    of_nobody: int
    elements: dict[str, dict[str, int]]


def deidentify_bundles(
    source: Path,
    out: Path,
    *,
    key: bytes,
    tell: Callable[[str], None] = lambda _: None,
    scrub: Scrub | None = None,
    opt_outs: OptOuts | None = None,
) -> FhirReport:
    """De-identify a file or a folder of FHIR R4 JSON.

    Parameters
    ----------
    source : Path
        File or folder; never changed.
    out : Path
        New file or folder; files in it have new names.
    key : bytes
        The hospital's pseudonym key, at least 16 bytes. Equal patients get equal pseudonyms and shifts in all files, and in
        the tables that were made under the same key.
    tell : callable
        Is told of progress, in counts.
    scrub : callable or None
        Takes a note, the patient's identifier and the names, numbers and addresses of the Patient resource, and gives
        what may stay; without it notes are dropped.
    opt_outs : OptOuts or None
        Patients to leave out with all their resources, looked for by all their numbers; so is what nobody can be told to be of.

    Raises
    ------
    ParameterError
        The key is too short, or that of the hub's opt-outs is missing.
    StorageError
        A file or the register of opt-outs cannot be read, a file is not JSON or not FHIR or cannot be written, or two
        patients have one id; nothing is written then.
    """
    refuse_short_key(key, "the pseudonym key", "use a longer key")
    files = _files(source)
    if out.exists() or source.resolve() in out.resolve().parents:
        raise StorageError(f"{out.name} must be new and outside the source, got another place; name another")
    try:
        people = _people(files)
        gone = _gone(people, opt_outs) if opt_outs else None
        work = _Work(Names(key, ELEMENTS), people, key, scrub, gone)
        _write(files, source, out, work, tell)
    except UnicodeEncodeError:
        raise StorageError(f"{source.name} must hold whole characters, got half a one; export it again") from None
    except OSError as error:
        raise StorageError(
            f"{source.name} must be read and {out.name} written whole, got {error.strerror or error}; "
            "mend the permissions or free space"
        ) from error
    return work.report(len(files))


def _write(files: list[Path], source: Path, out: Path, work: "_Work", tell: Callable[[str], None]) -> None:
    if source.is_file():
        write_atomically(out, _written(source, work))
        tell("1 of 1 files")
        return
    with whole_folder(out) as folder:
        for number, file in enumerate(files, start=1):
            name = work.names.file(file.relative_to(source).as_posix()) + file.suffix
            (folder / name).write_bytes(_written(file, work))
            tell(f"{number} of {len(files)} files")


class _Work:
    """The second pass: scopes, counts and the patients' secrets, each made once."""

    def __init__(
        self, names: Names, people: People, key: bytes, scrub: Scrub | None, gone: frozenset[str] | None
    ) -> None:
        self.names, self.people, self.key, self.scrub = names, people, key, scrub
        self.asked, self.gone = gone is not None, gone or frozenset()
        self.of_nobody = 0
        self.counts: Counts = Counter()
        self.resources: Counter[str] = Counter()
        self.removed: Counter[str] = Counter()
        self.persons: dict[str, Person] = {}

    def resource(self, old: Json, url: object) -> Json | None:
        kind = old["resourceType"]
        if kind not in ELEMENTS:
            self.removed["unknown"] += 1
            return None
        identity = self.people.identity(old, url)
        nobody = of_a_patient(old) and not self.people.told(identity)
        self.of_nobody += nobody
        if identity in self.gone or (nobody and self.asked):
            self.removed[kind] += 1
            return None
        scope = Scope(kind, self.names, self._person(identity) if identity else None, self.scrub)
        new = deidentified(old, scope, self.counts)
        (self.resources if new is not None else self.removed)[kind] += 1
        return new

    def report(self, files: int) -> FhirReport:
        elements: dict[str, dict[str, int]] = {}
        for (path, what), count in sorted(self.counts.items()):
            elements.setdefault(path, {})[what] = count
        patients = set(self.people.numbers)
        return FhirReport(
            files, len(patients), len(patients & self.gone), dict(self.resources), dict(self.removed), self.of_nobody, elements
        )  # fmt: skip

    def _person(self, identity: str) -> Person:
        if identity not in self.persons:
            pseudonym = pseudonymise(pl.Series([identity]), self.key).item()
            seen = self.people.last_seen.get(identity, date.min)
            last = seen if seen > date.min else date.today()
            known = self.people.known.get(identity, ())
            self.persons[identity] = Person(identity, pseudonym, shift_days(identity, self.key), last, known)
        return self.persons[identity]


def _people(files: list[Path]) -> People:
    people = People()
    for file in files:
        for resource, url in _resources(file):
            if resource["resourceType"] == "Patient":
                people.note_patient(resource, url)
    for file in files:
        for resource, url in _resources(file):
            people.note_dates(resource, url)
    return people


def _gone(people: People, opt_outs: OptOuts) -> frozenset[str]:
    """Identifiers of those who opted out under any of their numbers, also of patients whom only references name."""
    listed = pl.Series("patient", sorted({n for own in people.numbers.values() for n in own}), dtype=pl.String)
    objecting = set(listed.filter(opt_outs.of(listed)))
    return frozenset(identity for identity, own in people.numbers.items() if own & objecting)


def _written(file: Path, work: _Work) -> bytes:
    if file.suffix == ".ndjson":
        made = [work.resource(document, None) for document, _ in _documents(file)]
        return b"".join(_dumped(one) + b"\n" for one in made if one is not None)
    document = next(_documents(file))[0]
    made = _bundle(document, work) if document["resourceType"] == "Bundle" else work.resource(document, None)
    return _dumped(made if made is not None else {"resourceType": "Bundle", "type": "collection"})


def _bundle(old: Json, work: _Work) -> Json:
    kind = old.get("type")
    new: Json = {"resourceType": "Bundle", "type": kind if kind in _TYPES else "collection"}
    entries = [made for entry in _entries(old) if (made := _entry(entry, work)) is not None]
    return new | ({"entry": entries} if entries else {})


def _entry(old: Json, work: _Work) -> Json | None:
    resource = work.resource(old["resource"], old.get("fullUrl"))
    if resource is None:
        return None
    new: Json = {"resource": resource}
    if url := work.names.url(old.get("fullUrl")):
        new["fullUrl"] = url
    request = old.get("request")
    if isinstance(request, dict) and request.get("method") in _METHODS:
        to = request.get("url")
        target = work.names.reference(to) or resource["resourceType"]
        new["request"] = {"method": request["method"], "url": target}
    return new


def _resources(file: Path) -> Iterator[tuple[Json, object]]:
    for document, _ in _documents(file):
        if document["resourceType"] == "Bundle":
            yield from ((entry["resource"], entry.get("fullUrl")) for entry in _entries(document))
        else:
            yield document, None


def _entries(bundle: Json) -> list[Json]:
    listed = bundle.get("entry")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one for one in entries if _is_resource(one.get("resource"))]


def _documents(file: Path) -> Iterator[tuple[Json, int]]:
    if file.suffix == ".ndjson":
        with file.open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                if line.strip():
                    yield _parsed(line, f"{file.name}, line {number},"), number
    else:
        yield _parsed(file.read_bytes(), file.name), 1


def _parsed(data: bytes, where: str) -> Json:
    try:
        document = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise StorageError(f"{where} must be JSON in UTF-8, got something else; export it again") from None
    if not _is_resource(document):
        raise StorageError(f"{where} must be a FHIR resource, got no resourceType; export FHIR R4 as JSON")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_resource(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def _files(source: Path) -> list[Path]:
    files = sorted(p for p in source.rglob("*") if p.suffix in ENDINGS) if source.is_dir() else [source]
    if not files or not files[0].is_file() or files[0].suffix not in ENDINGS:
        raise StorageError(f"{source.name} must hold files that end in {', '.join(ENDINGS)}, got none; name another")
    return files


def _dumped(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
