"""A column's header parted into what is measured and in which unit.

Belongs here: units as headers write them, and their UCUM codes. Does not belong here: what the column stands for (``ranking``).

References
----------
UCUM, The Unified Code for Units of Measure (https://ucum.org), case-sensitive codes.
"""

import re
import unicodedata

_CODES = (
    "mg/dL", "g/dL", "ug/dL", "ng/dL", "g/L", "mg/L", "ug/L", "ng/L", "mg/mL", "ug/mL", "ng/mL", "pg/mL", "mmol/L", "umol/L", "nmol/L", "pmol/L", "mmol/mol",
    "mg/mmol", "mg/g", "U/L", "mmol", "mol", "mL/min", "L/min", "kg/m2", "kg", "g", "mg", "ug", "cm", "mm", "m", "mL", "L", "fL", "pg", "%", "mm/h", "s", "min", "h", "d", "a", "10*3/uL",
    "10*6/uL", "10*9/L", "10*12/L", "mm[Hg]", "Cel", "/min", "kPa", "[arb'U]/mL", "m[iU]/L", "[iU]/L",
)  # fmt: skip
_WRITTEN = {
    "mmhg": "mm[Hg]", "°c": "Cel", "bpm": "/min", "lpm": "/min", "e9/l": "10*9/L", "10^9/l": "10*9/L", "x10^9/l": "10*9/L", "e12/l": "10*12/L", "10^12/l": "10*12/L",
    "10^3/ul": "10*3/uL", "10^6/ul": "10*6/uL", "iu/l": "[iU]/L", "ui/l": "[iU]/L", "miu/l": "m[iU]/L", "mui/l": "m[iU]/L", "mcg/l": "ug/L", "mcg/dl": "ug/dL", "kg/m^2": "kg/m2",
    "ml/min/1.73m2": "mL/min",
} | {code.casefold(): code for code in _CODES}  # fmt: skip
_BRACKETED = re.compile(r"^(?P<name>.*\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]$")
_SPACED = re.compile(r"^(?P<name>.*?\S)[\s,]+(?P<unit>\S+)$")
_MEASURED = re.compile(r"[/%°^]|mmhg|kg|cm|mmol")  # a bare letter after a name is none: ``Hepatitis a``


def parted(header: str) -> tuple[str, str | None]:
    """``Hb g/l`` to ``("Hb", "g/L")``, ``Creatinina (µmol/l)`` to ``("Creatinina", "umol/L")``; no unit, the header as it is."""
    if (found := _BRACKETED.match(header)) and (unit := _unit(found["unit"])):
        return found["name"], unit
    if (
        (found := _SPACED.match(header))
        and _MEASURED.search(found["unit"].casefold())
        and (unit := _unit(found["unit"]))
    ):
        return found["name"], unit
    return header, None


def _unit(text: str) -> str | None:
    """The UCUM code of a unit as written; micro may be of two characters."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold().replace("μ", "u").replace(" ", "")
    return _WRITTEN.get(plain)
