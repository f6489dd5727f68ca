"""Image synthesizers by name.

Belongs here: the names that run configuration may use. Does not belong here: why one is the default (decision 9).
"""

from models.images.baselines import FlatImages, PriorImages
from models.images.evolution import EvolvedImages
from models.images.gaussian import GaussianImages
from models.images.prior import has_simulator
from models.images.synthesizer import Family, StatisticSynthesizer
from models.images.tilted import TiltedImages
from records.errors import ParameterError
from records.images import ImageSchema
from records.protocols import ImageSynthesizer

FAMILIES = ("gaussian", "tilted", "evolution", "embedding", "prior", "flat")
DEFAULT, WITH_SIMULATOR = "gaussian", "tilted"
NAMES = ("auto", *FAMILIES, "diffusion")


def chosen(name: str, schema: ImageSchema) -> str:
    """What ``auto`` stands for, by public facts: ``tilted`` where a simulator of such images exists, else the default."""
    if name != "auto":
        return name
    return WITH_SIMULATOR if has_simulator(schema) else DEFAULT


def build(name: str, *, delta: float, secure: bool = True) -> ImageSynthesizer:
    """An image synthesizer that is not fitted yet; ``auto`` is the default, and ``diffusion`` never draws secure noise.

    Raises
    ------
    ParameterError
        The name is unknown.
    """
    if name == "diffusion":
        from models.images.diffusion import DiffusionSynthesizer

        return DiffusionSynthesizer(delta=delta)
    if name not in NAMES:
        raise ParameterError(f"image synthesizer must be one of {', '.join(NAMES)}, got {name}; choose one of these")
    return StatisticSynthesizer(_family(DEFAULT if name == "auto" else name), delta=delta, secure=secure)


def _family(name: str) -> Family:
    if name == "embedding":
        # torch takes a second to load
        from models.images.embedding import EmbeddedImages

        return EmbeddedImages()
    families: dict[str, type[Family]] = {
        "gaussian": GaussianImages, "tilted": TiltedImages, "evolution": EvolvedImages, "prior": PriorImages,
        "flat": FlatImages,
    }  # fmt: skip
    return families[name]()
