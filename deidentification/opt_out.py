"""The right to opt out on the data side: a register of pseudonyms with dates, and whom a run leaves out.

Belongs here: recording a choice, reading the register, the hub's list, and who is excluded on a permit's date. Does
not belong here: the intake (``hub``), or who somebody is: the register holds pseudonyms only.

A register is a file of JSON lines (or CSV) with ``pseudonym``, ``date`` and ``choice`` (``out`` or ``in``). Choices are
only ever appended, the last one up to the permit's date counts, so that a choice can be taken back and shown later; a line's
pseudonym alone is replaced, when its key goes. A
choice made on the day of the permit counts, in the person's favour. Pseudonyms of 32 characters are those of the hospital's
key, those of 64 the hub's, which are matched with the hub's key for opt-outs. A line tells in ``key`` the fingerprint of
its key (older lines and lists of others need not), so that objections under a key that is not here are not passed over.

An objection is recorded, and looked for, under the identifier as it is written and under its plain form, so that ``007``
in a list finds the patient 7 of a table and the other way round. Two patients whose identifiers differ in such zeros
alone are both left out.

References
----------
Regulation (EU) 2025/327, Article 71(1) (at any time, without a reason, reversible) and (3) (permits issued afterwards).
"""

import hmac
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from deidentification.identifiers import identifier_texts, plain_identifiers
from deidentification.project_keys import fingerprint
from deidentification.pseudonyms import PSEUDONYM_CHARACTERS, pseudonymise, refuse_short_key
from records.errors import CodebookError, ParameterError, StorageError
from records.files import one_at_a_time, write_atomically
from records.schema import Schema

HUB_CHARACTERS = 64
CHOICES = ("out", "in")
COLUMNS = {"pseudonym": pl.String, "date": pl.String, "choice": pl.String, "key": pl.String}
Choice = tuple[str, date, str, str | None]  # pseudonym, day, ``out`` or ``in``, fingerprint of the key
_PSEUDONYM = re.compile(rf"[0-9a-f]{{{PSEUDONYM_CHARACTERS}}}|[0-9a-f]{{{HUB_CHARACTERS}}}")


@dataclass(frozen=True)
class OptOuts:
    """Whom to leave out: those in ``register`` who opted out up to the permit's date.

    ``key`` is the hospital's, under which choices are recorded, whatever project's key a run's pseudonyms are under;
    ``hub_key`` is the hub's key for opt-outs, needed if the register holds the hub's pseudonyms; ``former`` are the
    hospital's kept keys of before, under which choices were recorded.
    """

    register: Path
    permit_date: date
    key: bytes
    hub_key: bytes | None = None
    former: tuple[bytes, ...] = ()

    def of(self, ids: pl.Series) -> pl.Series:
        """``opted_out`` for these patients."""
        return self.objectors().among(ids)

    def objectors(self) -> "Objectors":
        """The register read once, for many questions.

        Raises
        ------
        StorageError
            The register is missing or damaged.
        ParameterError
            The register holds the hub's pseudonyms and there is no key to match them, or objections under a key that is not
            here.
        """
        register = read_register(self.register)
        gone = objecting(register, self.permit_date)
        self._refuse_other_keys(register.filter(pl.col("pseudonym").is_in(gone.implode())))
        if (register["pseudonym"].str.len_chars() == HUB_CHARACTERS).any() and self.hub_key is None:
            raise ParameterError(
                f"{self.register.name} must come with the hub's key for opt-outs, since it holds the hub's pseudonyms, got no "
                "key; ask the hub's operator for it: without it nobody of these would be left out"
            )
        return Objectors(frozenset(gone), (self.key, *self.former), self.hub_key)

    def of_unknown_key(self) -> int:
        """How many of the hospital's objections tell no key, so that one of another home would be passed over."""
        register = read_register(self.register)
        untold = register.filter(pl.col("key").is_null(), pl.col("pseudonym").str.len_chars() == PSEUDONYM_CHARACTERS)
        return int(untold["pseudonym"].unique().is_in(objecting(register, self.permit_date).implode()).sum())

    def _refuse_other_keys(self, objections: pl.DataFrame) -> None:
        here = [fingerprint(key) for key in (self.key, *self.former)]
        if other := sorted(set(objections["key"].drop_nulls()) - set(here)):
            raise ParameterError(
                f"{self.register.name} must be under the hospital's keys of this home ({', '.join(here)}), got objections under "
                f"{', '.join(other)}; name the home that holds that key (PHASEIV_HOME) or put the key back: nobody of these would "
                "be left out"
            )


@dataclass(frozen=True)
class Objectors:
    """Pseudonyms of those who opted out, and the keys by which patients are looked for among them."""

    pseudonyms: frozenset[str]
    keys: tuple[bytes, ...]
    hub_key: bytes | None

    def among(self, ids: pl.Series) -> pl.Series:
        """Whether each patient has opted out; Boolean, length n, named ``opted_out``."""
        hashed = [pseudonymise(forms, key) for forms in identifier_forms(ids) for key in self.keys]
        if self.hub_key is not None:
            hashed.append(hub_pseudonyms(ids, self.hub_key))
        # Each is looked up in the set as it is: a whole country's objections must not be gone through for each file.
        gone = [any(one in self.pseudonyms for one in forms) for forms in zip(*hashed, strict=True)]
        return pl.Series("opted_out", gone, dtype=pl.Boolean)


def refuse_studies(schema: Schema) -> None:
    """Refuse rows that are told apart by study where objections are to be looked for, which are recorded by patient.

    Raises
    ------
    CodebookError
        The identifier comes from the Study Instance UID.
    """
    if schema.identifier is not None and schema.identifier.source == "StudyInstanceUID":
        raise CodebookError(
            f"{schema.name} must take its identifier from PatientID where there is a register of opt-outs, got "
            "StudyInstanceUID; name the patient as its source: objections are recorded by patient"
        )


def choice_pseudonyms(ids: pl.Series, key: bytes) -> pl.Series:
    """Pseudonyms to record for these patients, each once: of the identifier as written and of its plain form."""
    return pl.concat([pseudonymise(forms, key) for forms in identifier_forms(ids)]).unique(maintain_order=True)


def identifier_forms(ids: pl.Series) -> list[pl.Series]:
    """The identifiers as written, and in plain form if that is another."""
    written, plain = identifier_texts(ids), plain_identifiers(ids)
    return [written] if (written == plain).all() else [written, plain]


def record_choices(path: Path, pseudonyms: Iterable[str], choice: str, on: date, *, key: bytes | None = None) -> None:
    """Append choices to the register: whole or not at all, and after what other processes append.

    Parameters
    ----------
    key : bytes or None
        The key of the pseudonyms, whose fingerprint is recorded with them.

    Raises
    ------
    ParameterError
        The choice is neither ``out`` nor ``in``, or a pseudonym is of no known form.
    StorageError
        The register cannot be written.
    """
    name = fingerprint(key) if key is not None else None
    append_choices(path, [(pseudonym, on, choice, name) for pseudonym in pseudonyms])


def append_choices(path: Path, choices: Sequence[Choice]) -> None:
    """``record_choices`` for choices of several days and keys."""
    if not all(choice in CHOICES and _PSEUDONYM.fullmatch(pseudonym) for pseudonym, _, choice, _ in choices):
        raise ParameterError(
            "a choice must be out or in, of pseudonyms of 32 or 64 hexadecimal characters, got another; "
            "pseudonymise the identifiers first"
        )
    try:
        with changing(path), path.open("ab") as handle:
            _append(handle, _lines(choices))
    except OSError as error:
        raise StorageError(
            f"{path.name} must be writable, got {error.strerror or error}; free disk space, nothing was recorded"
        ) from error


def changing(path: Path) -> AbstractContextManager[None]:
    """One writer of the register at a time; the lock is a file beside it, as the register may be replaced."""
    return one_at_a_time(path.with_name(f".{path.name}.lock"))


def replace_register(path: Path, register: pl.DataFrame) -> None:
    """Write a register anew, whole or not at all; to be called while ``changing`` it.

    Raises
    ------
    StorageError
        It cannot be written; the former one is untouched.
    """
    write_atomically(path.resolve(), _lines(register.select(*COLUMNS).rows()))


def read_register(path: Path) -> pl.DataFrame:
    """The register's lines in their order, with a Date column.

    Raises
    ------
    StorageError
        The register is missing or has a line that is not whole: an objection must not be passed over.
    """
    try:
        data = path.read_bytes()
        frame = _parsed(path, data).select(*COLUMNS).with_columns(pl.col("date").str.to_date("%Y-%m-%d"))
    except FileNotFoundError:
        raise StorageError(f"{path.name} must be a register of opt-outs, got no file; give its path") from None
    except (OSError, ValueError, pl.exceptions.PolarsError):
        raise _damaged(path) from None  # the cause may quote a line
    whole = frame["pseudonym"].str.contains(f"^(?:{_PSEUDONYM.pattern})$") & frame["choice"].is_in(CHOICES)
    if frame.height and not (whole.fill_null(False) & frame["date"].is_not_null()).all():
        raise _damaged(path)
    return frame


def objecting(register: pl.DataFrame, permit_date: date) -> pl.Series:
    """Pseudonyms of those whose last choice up to the permit's date is ``out``."""
    counted = register.with_row_index("line").filter(pl.col("date") <= permit_date).sort("date", "line")
    last = counted.group_by("pseudonym", maintain_order=True).last()
    return last.filter(pl.col("choice") == "out")["pseudonym"]


def ever_objecting(register: pl.DataFrame) -> pl.Series:
    """Pseudonyms under which an objection is in force on some day, past or to come: a permit of that day needs it."""
    of_a_day = register.group_by("pseudonym", "date", maintain_order=True).last()
    return of_a_day.filter(pl.col("choice") == "out")["pseudonym"].unique(maintain_order=True)


def hub_pseudonyms(ids: pl.Series, opt_out_key: bytes) -> pl.Series:
    """National identifiers as the hub hashes them: normalised, HMAC-SHA-256, 64 hexadecimal characters.

    Parameters
    ----------
    ids : polars.Series of String or integers, length n
    opt_out_key : bytes
        The hub's key for opt-outs, which the hub's operator hands to the hospital.
    """
    refuse_short_key(opt_out_key, "the hub's key for opt-outs", "ask the hub's operator for it")
    plain = [re.sub(r"[\s.]", "", unicodedata.normalize("NFKC", text)).upper() for text in identifier_texts(ids)]
    return pl.Series(
        "pseudonym", [hmac.digest(opt_out_key, p.encode(), "sha256").hex() for p in plain], dtype=pl.String
    )


def take_over(path: Path, export: Path, on: date) -> tuple[int, int]:
    """Bring a register to the state of the hub's list of objections.

    Parameters
    ----------
    export : pathlib.Path
        The hub's answer to ``POST /opt-outs/export``: ``count`` and ``pseudonyms``.

    Returns
    -------
    (int, int)
        How many opted out and how many opted back in since.

    Raises
    ------
    StorageError
        The list is damaged or does not hold as many as it says; the register is untouched.
    """
    try:
        listed = json.loads(export.read_text(encoding="utf-8"))
        now = set(listed["pseudonyms"])
        if len(listed["pseudonyms"]) != listed["count"] or not all(map(_PSEUDONYM.fullmatch, now)):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"{export.name} must be the hub's whole list of opt-outs, got another; export it again"
        ) from None
    before = set(objecting(read_register(path), on)) if path.exists() else set()
    before = {pseudonym for pseudonym in before if len(pseudonym) == HUB_CHARACTERS}
    record_choices(path, sorted(now - before), "out", on)
    record_choices(path, sorted(before - now), "in", on)
    return len(now - before), len(before - now)


def _lines(choices: Sequence[Choice]) -> bytes:
    lines = (
        {"pseudonym": pseudonym, "date": on.isoformat(), "choice": choice} | ({"key": key} if key else {})
        for pseudonym, on, choice, key in choices
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _append(handle: io.BufferedWriter, data: bytes) -> None:
    """Append or leave the file as it was: what a full disk took of the lines is cut off again."""
    size = os.fstat(handle.fileno()).st_size
    try:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    except OSError:
        os.ftruncate(handle.fileno(), size)
        raise


def _parsed(path: Path, data: bytes) -> pl.DataFrame:
    if not data.strip():
        return pl.DataFrame(schema=COLUMNS)
    if path.suffix == ".csv":
        read = pl.read_csv(data, infer_schema=False)
        return read if "key" in read.columns else read.with_columns(key=pl.lit(None, pl.String))
    if not data.endswith(b"\n"):
        raise ValueError("torn")
    return pl.read_ndjson(data, schema=COLUMNS)


def _damaged(path: Path) -> StorageError:
    return StorageError(
        f"{path.name} must be a register of opt-outs (pseudonym, date, choice), got a line that is not whole; "
        "mend or restore it: nobody is excluded by half a line"
    )
