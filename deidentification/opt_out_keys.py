"""Objections under a key that is no longer the hospital's: recorded beside it, and carried over before it goes.

Belongs here: what becomes of a register of opt-outs when the key of its pseudonyms is rotated or removed. Does not belong
here: the keys (``kept_keys``), or who is left out (``opt_out``).
"""

from datetime import date
from pathlib import Path

import polars as pl

from deidentification.identifiers import identifier_texts, plain_identifiers
from deidentification.opt_out import (
    append_choices,
    changing,
    choice_pseudonyms,
    ever_objecting,
    identifier_forms,
    read_register,
    replace_register,
)
from deidentification.project_keys import fingerprint
from deidentification.pseudonyms import PSEUDONYM_CHARACTERS, pseudonymise
from records.errors import ParameterError

LONGEST_PADDED = 24  # characters of a number with zeros before it


def record_under(path: Path, ids: pl.Series, choice: str, on: date, *, key: bytes, former: tuple[bytes, ...]) -> int:
    """Record choices under the key in use, and under former ones where these patients chose before.

    Who comes back in does so under every form in which the number was recorded: ``1`` also takes back ``000001``.

    Returns
    -------
    int
        Of those who come back in, how many had no objection recorded; 0 for objections.

    Raises
    ------
    ParameterError, StorageError
        As ``record_choices``; the register is damaged.
    """
    known = set(read_register(path)["pseudonym"]) if path.exists() else set[str]()
    without = 0
    if choice == "in":
        ids, without = _as_recorded(ids, known, (key, *former))
    before = [(p, old) for old in former for p in choice_pseudonyms(ids, old) if p in known]
    chosen = [*((p, key) for p in choice_pseudonyms(ids, key)), *before]
    append_choices(path, [(pseudonym, on, choice, fingerprint(of)) for pseudonym, of in chosen])
    return without


def _as_recorded(ids: pl.Series, known: set[str], keys: tuple[bytes, ...]) -> tuple[pl.Series, int]:
    """The identifiers, with those other forms of theirs that are in the register, and how many are there in no form."""
    written, plain = identifier_texts(ids), plain_identifiers(ids)
    forms = [[one, *_forms(other)] for one, other in zip(written, plain, strict=True)]
    listed = pl.Series(ids.name, [form for of in forms for form in of], dtype=pl.String)
    here = pl.Series([any(p in known for p in of) for of in zip(*(pseudonymise(listed, k) for k in keys), strict=True)])
    recorded = set(listed.filter(here.cast(pl.Boolean)))
    return pl.concat([written, listed.filter(here)]).unique(), sum(recorded.isdisjoint(of) for of in forms)


def _forms(plain: str) -> list[str]:
    """Ways to write a number that are one plain form."""
    padded = [plain.zfill(width) for width in range(len(plain), LONGEST_PADDED + 1)] if plain.isdecimal() else []
    return [plain, plain.lower(), plain.title(), f"{plain}.0", *padded]


def carry_over(path: Path, ids: pl.Series, old: bytes | None, *, key: bytes, former: tuple[bytes, ...]) -> int:
    """Put the choices under an old key under the one in use, so that the old one can go; returns how many.

    Their lines keep place, day and choice and change their pseudonym: what stayed under the old key would be of nobody
    as soon as that is gone, and no later key could be removed.

    Parameters
    ----------
    ids : polars.Series of String or integers
        All patients whose choices may be in the register.
    old : bytes or None
        None if it is lost: then nothing moves, and no objection may be left to it.
    former : tuple of bytes
        Other keys that are kept.

    Raises
    ------
    ParameterError
        An objection that is in force on any day, also one to come, is of none of ``ids`` under any key; nothing is written.
    """
    moved, known = dict[str, str](), set[str]()
    for forms in identifier_forms(ids):
        if old is not None:
            moved |= dict(zip(pseudonymise(forms, old), pseudonymise(forms, key), strict=True))
        known.update(moved, *(pseudonymise(forms, other) for other in (key, *former)))
    with changing(path):
        register = read_register(path)
        _refuse_unknown(register, known)
        carried = int(register["pseudonym"].is_in(list(moved)).sum())
        if carried:
            ours = pl.when(pl.col("pseudonym").is_in(list(moved))).then(pl.lit(fingerprint(key))).otherwise("key")
            replace_register(path, register.with_columns(pl.col("pseudonym").replace(moved), key=ours))
    return carried


def _refuse_unknown(register: pl.DataFrame, known: set[str]) -> None:
    in_force = {p for p in ever_objecting(register) if len(p) == PSEUDONYM_CHARACTERS}
    if unknown := len(in_force - known):
        raise ParameterError(
            f"each objection must be of a patient in the lists given, got {unknown} pseudonyms of nobody; give the lists of those who "
            "opted out by --patients, or keep the key: without it they could not be left out. If it is lost, record these objections "
            "anew in a new register in place of this one"
        )
