"""Image synthesizers by name.

Belongs here: the names that run configuration may use. Does not belong here: why one is the default (decision 9).
"""

from models.images.baselines import FlatImages, PriorImages
from models.images.gaussian import GaussianImages
from models.images.synthesizer import Family, StatisticSynthesizer
from records.errors import ParameterError
from records.protocols import ImageSynthesizer

FAMILIES: dict[str, type[Family]] = {"gaussian": GaussianImages, "prior": PriorImages, "flat": FlatImages}
DEFAULT = "gaussian"
NAMES = ("auto", *FAMILIES)


def build(name: str, *, delta: float, secure: bool = True) -> ImageSynthesizer:
    """An image synthesizer that is not fitted yet; ``auto`` is the default.

    Raises
    ------
    ParameterError
        The name is unknown.
    """
    if name not in NAMES:
        raise ParameterError(f"image synthesizer must be one of {', '.join(NAMES)}, got {name}; choose one of these")
    family = FAMILIES[DEFAULT if name == "auto" else name]
    return StatisticSynthesizer(family(), delta=delta, secure=secure)
