"""What peers leave behind on the planted files.

Belongs here: the peers' calls, the same measure for all. Does not belong here: planting, the page. Each peer is called
as its documentation says, with private elements removed where it can; dicom-anonymizer with the list of the same
edition as our table.
"""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pydicom
from pydicom import Dataset

from benchmarks.dicom.planting import STRINGS
from deidentification.dicom.errors import DicomError
from deidentification.dicom.files import deidentify_file
from deidentification.dicom.verifier import verify
from deidentification.dicom.walk import elements

KEY = b"a key for measuring, not for use"
Tool = Callable[[bytes], bytes]


def ours(data: bytes) -> bytes:
    """Basic Profile without options."""
    return deidentify_file(data, key=KEY, options=frozenset(), allow_burned_in=True).data


def dicom_anonymizer(data: bytes) -> bytes:
    """``anonymize_dataset`` with the rules of 2026c."""
    from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions

    def change(dataset: Dataset) -> None:
        anonymize_dataset(dataset, base_rules_gen=lambda: initialize_actions("dicomfields_2026c"))

    return _in_place(data, change)


def dicognito(data: bytes) -> bytes:
    """``Anonymizer.anonymize``."""
    from dicognito.anonymizer import Anonymizer

    return _in_place(data, Anonymizer().anonymize)


def deid(data: bytes) -> bytes:
    """``replace_identifiers`` with its default recipe."""
    from deid.dicom import get_identifiers, replace_identifiers

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.dcm"
        path.write_bytes(data)
        ids = get_identifiers([str(path)])
        dataset = replace_identifiers([str(path)], deid=_recipe(), ids=ids, remove_private=True, save=False)[0]
        return _saved(dataset)


TOOLS: dict[str, Tool] = {
    "ours": ours, "dicom-anonymizer": dicom_anonymizer, "deid": deid, "dicognito": dicognito,
}  # fmt: skip


@dataclass
class Left:
    """What a tool left, over all files."""

    files: int = 0
    failed: int = 0
    x_attributes: set[str] = field(default_factory=set)
    nested_uids: int = 0
    private: int = 0
    strings: set[str] = field(default_factory=set)


def left_by(tool: Tool, files: list[bytes]) -> Left:
    """Run a tool over files and count what is left; a file that it fails on is counted, not measured."""
    left = Left()
    for data in files:
        try:
            with warnings.catch_warnings(), open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
                warnings.simplefilter("ignore")
                out = tool(data)
            findings = verify(out, data, planted=STRINGS)
        except (DicomError, Exception):
            left.failed += 1
            continue
        left.files += 1
        left.x_attributes |= set(findings.filter(check="attribute left")["tag"])
        left.private += int(findings.filter(check="private element left")["count"].sum())
        left.nested_uids += _nested_uids(out, data)
        left.strings |= {text for text in STRINGS if text.encode() in out}
    return left


def _nested_uids(out: bytes, data: bytes) -> int:
    """Instance UIDs of the original that stand in items of the output."""
    known = {e.value.strip(b" \0") for e in elements(data) if e.vr == "UI"}
    known = {uid for uid in known if not uid.startswith(b"1.2.840.10008.")} - {b""}
    return sum(bool(e.path) and e.value.strip(b" \0") in known for e in elements(out) if e.tag < 0x7FE00000)


def _in_place(data: bytes, change: Callable[[Dataset], object]) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    change(dataset)
    return _saved(dataset)


def _saved(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@cache
def _recipe() -> object:
    from deid.config import DeidRecipe
    from deid.logger import bot

    bot.level = 0  # its progress lines
    logging.getLogger("deid").setLevel(logging.ERROR)
    return DeidRecipe()
