"""Plain JSON values out of numpy, dataclasses and NaN, so that every report can be stored and compared as text.

Belongs here: the one conversion that all reports use. Does not belong here: rounding or wording for people
(``report``).
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The value with JSON types only; NaN and infinity become ``None``, so that the gate sees them as missing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Enum):
        return value.value
    return None if isinstance(value, float) and not isfinite(value) else value
