"""Descriptors cleaned by what is allowed, not by what is forbidden: words of medical vocabularies stay, all else goes.

Belongs here: the words that stay in a description (``AX T2 FLAIR Smith`` becomes ``AX T2 FLAIR``). Does not belong
here: the patient's own identifiers (``identity``), which are taken out even where they are such words.

The words are those of the coded concepts that pydicom carries (SNOMED CT, DCM, LOINC, RadLex, UCUM) and a short list
of protocol abbreviations. Numbers stay up to three digits, so that no date, record number or phone number does.

References
----------
DICOM PS3.15 E.3.4 (Clean Descriptors Option).
"""

import re
from functools import cache

ABBREVIATIONS = frozenset(
    [
        "3d",
        "2d",
        "abd",
        "ac",
        "adc",
        "angio",
        "ap",
        "art",
        "ax",
        "axial",
        "bh",
        "bold",
        "br",
        "brain",
        "bw",
        "c",
        "cap",
        "cbf",
        "cbv",
        "cc",
        "ce",
        "cect",
        "chest",
        "cor",
        "coronal",
        "cpr",
        "cr",
        "ct",
        "cta",
        "ctac",
        "ctp",
        "delay",
        "dce",
        "diff",
        "dixon",
        "dti",
        "dual",
        "dwi",
        "dx",
        "dyn",
        "echo",
        "ecg",
        "epi",
        "exp",
        "f",
        "fast",
        "fat",
        "fast",
        "fb",
        "fdg",
        "fiesta",
        "fl",
        "flair",
        "flash",
        "fs",
        "fse",
        "fsp",
        "gad",
        "gated",
        "gd",
        "ge",
        "gre",
        "haste",
        "hd",
        "hr",
        "ii",
        "in",
        "insp",
        "inv",
        "ir",
        "iv",
        "kv",
        "l",
        "lat",
        "liver",
        "localizer",
        "loc",
        "lung",
        "mas",
        "med",
        "mip",
        "mm",
        "mpr",
        "mprage",
        "mr",
        "mra",
        "mrcp",
        "mtt",
        "nac",
        "nc",
        "neck",
        "no",
        "non",
        "noncon",
        "o",
        "opp",
        "out",
        "pa",
        "pc",
        "pd",
        "pe",
        "pelvis",
        "perf",
        "pet",
        "phase",
        "plain",
        "post",
        "pre",
        "prone",
        "propeller",
        "r",
        "recon",
        "rt",
        "rapid",
        "sag",
        "sagittal",
        "sc",
        "scout",
        "se",
        "sec",
        "slice",
        "space",
        "spair",
        "spgr",
        "spin",
        "spine",
        "spiral",
        "st",
        "stir",
        "stroke",
        "supine",
        "swi",
        "t",
        "t1",
        "t1w",
        "t2",
        "t2w",
        "tac",
        "te",
        "tfe",
        "tirm",
        "tof",
        "topogram",
        "tr",
        "tra",
        "trufi",
        "tse",
        "thk",
        "ttp",
        "us",
        "ven",
        "vibe",
        "vol",
        "w",
        "water",
        "wb",
        "wo",
        "with",
        "without",
        "x",
        "xr",
    ]
)
_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+\d{0,2}")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def cleaned(text: str) -> str:
    """The words and short numbers that may stay, in order, one blank apart."""
    return " ".join(token for token in _TOKEN.findall(text) if _may_stay(token))


def _may_stay(token: str) -> bool:
    if token[0].isdigit():
        return len(re.sub(r"\D", "", token)) <= 3
    return token.lower() in vocabulary()


@cache
def vocabulary() -> frozenset[str]:
    """Lower-case words of the coded concepts' names, three letters or more, and the abbreviations."""
    from pydicom.sr._concepts_dict import concepts

    names = " ".join(keyword for scheme in concepts.values() for keyword in scheme)
    return ABBREVIATIONS | {word.lower() for word in _CAMEL.findall(names) if len(word) > 2}
