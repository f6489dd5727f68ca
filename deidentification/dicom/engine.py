"""The recursive engine: every attribute at every depth gets one action of Table E.1-1.

Belongs here: a data set in, the same data set changed. Does not belong here: files and file meta (``files``), pixels
(``pixels``), which action (``profile``).

The table lists what is known to identify. What it does not list is handled so that an unknown place cannot leak:
attributes that the data dictionary does not know and values of unknown VR are removed, long text and person names get
dummies, UIDs that are not of the standard are mapped, dates are moved or replaced, and any other text that holds an
identifier of the same file is replaced.

References
----------
DICOM PS3.15 2026c, E.1 and E.2.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from deidentification.dicom.content import GRAPHIC_ANNOTATIONS, cleaned_annotations, dummy_items
from deidentification.dicom.descriptors import cleaned
from deidentification.dicom.errors import DicomError
from deidentification.dicom.identity import Subject, pseudonym
from deidentification.dicom.options import Option
from deidentification.dicom.profile import Action, columns_of, removed_by_group, rules
from deidentification.dicom.temporal import shifted_date, shifted_datetime
from deidentification.dicom.uids import names_a_standard_thing, new_uid
from deidentification.dicom.values import BINARY_VRS, TEXT, TEXT_VRS, dummy

PATIENT_ID, PATIENT_NAME, PATIENT_AGE = 0x00100020, 0x00100010, 0x00101010
_LONG_TEXT = frozenset({"LT", "ST", "UT"})
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_OLDEST = 89


@dataclass(frozen=True)
class Changes:
    """How many elements were changed, by tag ``GGGG,EEEE``; private ones all count as ``private``."""

    removed: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)


class Engine:
    """De-identifies the data sets of one subject.

    Parameters
    ----------
    key : bytes
        The hospital's pseudonym key.
    options : frozenset of Option
    subject : Subject
        The patient of the file.
    """

    def __init__(self, key: bytes, options: frozenset[Option], subject: Subject) -> None:
        self.changes = Changes()
        self._key, self._options, self._subject = key, options, subject
        self._columns, self._root = columns_of(options), Dataset()
        self._handlers: dict[Action, Callable[[Dataset, DataElement], None]] = {
            Action.REMOVE: self._remove, Action.EMPTY: self._empty, Action.DUMMY: self._dummy,
            Action.KEEP: self._keep, Action.CLEAN: self._clean, Action.UID: self._map,
        }  # fmt: skip

    def apply(self, dataset: Dataset) -> None:
        """Change the data set and all items of its sequences in place.

        Raises
        ------
        DicomError
            A value cannot be read, or a sequence has another VR.
        """
        self._root = dataset
        self._walk(dataset)

    def _walk(self, dataset: Dataset) -> None:
        for tag in list(dataset.keys()):
            if removed_by_group(tag):
                self._drop(dataset, int(tag))
            elif tag not in _PIXELS:
                self._one(dataset, _read(dataset, int(tag)))

    def _one(self, dataset: Dataset, element: DataElement) -> None:
        tag = int(element.tag)
        rule = rules().get(tag)
        if rule is not None:
            self._handlers[rule.action(self._columns, sequence=element.VR == "SQ")](dataset, element)
        elif not dictionary_has_tag(tag) or element.VR == "UN":
            self._drop(dataset, tag)
        else:
            self._unlisted(dataset, element)

    def _unlisted(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR in _LONG_TEXT:
            self._clean(dataset, element) if Option.CLEAN_DESCRIPTORS in self._options else self._dummy(
                dataset, element
            )
        elif element.VR == "PN":
            self._dummy(dataset, element)
        elif element.VR in ("DA", "DT", "TM"):
            dated = Option.RETAIN_MODIFIED_DATES in self._options
            self._shift(dataset, element) if dated else self._dummy(dataset, element)
        elif element.VR == "UI" and Option.RETAIN_UIDS not in self._options:
            self._map(dataset, element)
        else:
            self._keep(dataset, element)

    def _drop(self, dataset: Dataset, tag: int) -> None:
        del dataset[tag]
        self.changes.removed["private" if tag >> 16 & 1 else _name(tag)] += 1

    def _remove(self, dataset: Dataset, element: DataElement) -> None:
        self._drop(dataset, int(element.tag))

    def _empty(self, dataset: Dataset, element: DataElement) -> None:
        if int(element.tag) == PATIENT_NAME and dataset is self._root:
            self._set(dataset, element, self._subject.pseudonym)
        elif not element.is_empty:
            self._set(dataset, element, [] if element.VR == "SQ" else None)

    def _dummy(self, dataset: Dataset, element: DataElement) -> None:
        tag = int(element.tag)
        if tag == PATIENT_ID:
            own = str(element.value or "").strip(" \0")
            self._set(dataset, element, pseudonym(own, self._key) if own else self._subject.pseudonym)
        elif tag == GRAPHIC_ANNOTATIONS:
            self._drop(dataset, tag)  # the module is optional, and its text could not be told from a name
        elif element.VR == "SQ":
            self._set(dataset, element, dummy_items(element.keyword))
        elif element.VR == "UI":
            self._map(dataset, element)
        else:
            self._set(dataset, element, dummy(element.VR))

    def _map(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR == "SQ":
            return self._keep(dataset, element)  # X/Z/U*: the references inside are mapped
        if element.VR != "UI":
            return self._dummy(dataset, element)
        mapped = [
            u if not u or names_a_standard_thing(u) else new_uid(u, self._key) for u in map(str, _values(element))
        ]
        if mapped != [str(u) for u in _values(element)]:
            self._set(dataset, element, mapped if len(mapped) > 1 else mapped[0])
        return None

    def _keep(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR == "SQ":
            for item in element.value or ():
                self._walk(item)
        elif int(element.tag) == PATIENT_AGE:
            self._cap_age(dataset, element)
        elif element.VR == "CS":
            self._code(dataset, element)
        elif self._tells(element):
            self._set(dataset, element, dummy(element.VR))

    def _code(self, dataset: Dataset, element: DataElement) -> None:
        """A code that tells is emptied; among several it becomes a dummy, so that the others keep their places."""
        codes = [str(value) for value in _values(element)]
        left = [TEXT if self._subject.told_by(code) else code for code in codes]
        if left != codes:
            self._set(dataset, element, left if len(left) > 1 else None)

    def _clean(self, dataset: Dataset, element: DataElement) -> None:
        if int(element.tag) == GRAPHIC_ANNOTATIONS:
            self._set(dataset, element, cleaned_annotations(element.value or ()))
            self._keep(dataset, dataset[element.tag])
        elif element.VR == "SQ":
            self._keep(dataset, element)
        elif element.VR in ("DA", "DT", "TM"):
            self._shift(dataset, element)
        elif element.VR in TEXT_VRS - {"PN", "CS", "AE", "UR"}:
            texts = [self._without_known(str(text)) for text in _values(element)]
            self._set(dataset, element, (texts if len(texts) > 1 else texts[0]) if any(texts) else TEXT)
        else:
            self._dummy(dataset, element)

    def _without_known(self, text: str) -> str:
        known = self._subject.known
        return cleaned(known.sub(" ", text) if known else text)

    def _shift(self, dataset: Dataset, element: DataElement) -> None:
        if element.VR == "TM" or element.is_empty:
            return
        move = shifted_date if element.VR == "DA" else shifted_datetime
        moved = [move(str(text), self._subject.days) or dummy(element.VR) for text in _values(element)]
        self._set(dataset, element, moved if len(moved) > 1 else moved[0])

    def _cap_age(self, dataset: Dataset, element: DataElement) -> None:
        """Ages above 89 become 090Y (45 CFR 164.514(b)(2)(i)(C)); malformed ones a dummy."""
        text = str(element.value or "").strip(" \0")
        if text and not (len(text) == 4 and text[:3].isdigit() and text[3] in "DWMY"):
            self._set(dataset, element, dummy("AS"))
        elif text.endswith("Y") and int(text[:3]) > _OLDEST:
            self._set(dataset, element, f"{_OLDEST + 1:03d}Y")

    def _tells(self, element: DataElement) -> bool:
        """Whether a value that would stay holds an identifier of the file."""
        pattern = self._subject.known
        if pattern is None or element.is_empty:
            return False
        if element.VR in TEXT_VRS:
            return any(pattern.search(str(value)) for value in _values(element))
        binary = element.VR in BINARY_VRS and isinstance(element.value, bytes)
        return binary and pattern.search(element.value.decode("latin-1")) is not None

    def _set(self, dataset: Dataset, element: DataElement, value: Any) -> None:
        dataset[element.tag] = DataElement(element.tag, element.VR, value)
        changed = self.changes.emptied if value is None or value == [] else self.changes.replaced
        changed[_name(int(element.tag))] += 1


def _read(dataset: Dataset, tag: int) -> DataElement:
    """The element with its value decoded, in the VR it has in the file."""
    try:
        element = dataset[tag]
    except Exception as error:
        # A stranger's file breaks pydicom in ways it does not list, and its message could quote the file.
        raise DicomError(
            f"attribute {_name(tag)} must be readable, got a {type(error).__name__}; mend the file at the source"
        ) from error
    listed = dictionary_VR(tag) if dictionary_has_tag(tag) else element.VR
    if "SQ" in (listed, element.VR) and listed != element.VR and element.VR != "UN":
        raise DicomError(f"attribute {_name(tag)} must have VR {listed}, got {element.VR}; mend the file at the source")
    return element


def _values(element: DataElement) -> list[Any]:
    if element.is_empty:
        return [""]
    return list(element.value) if element.VM > 1 else [element.value]


def _name(tag: int) -> str:
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"
