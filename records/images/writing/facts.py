"""What every written folder says of its images: that they are synthetic, who made them, and at what privacy.

Belongs here: those facts as values and as words. Does not belong here: any file format.
"""

from dataclasses import asdict, dataclass
from typing import Any

from records.errors import ParameterError
from records.images.schema import ImageSchema
from records.images.table import ImageTable

MANUFACTURER = "PHASE IV AI"
_LONGEST = 64  # of a DICOM long string (LO)


@dataclass(frozen=True)
class MadeBy:
    """The generator of the images.

    Parameters
    ----------
    generator, version : str
        Name of the synthesizer and version of the software; 1 to 64 plain characters.
    run : str
        Identifies the run, and with it the new UIDs: the same run gives the same ones. It must not tell a seed, from
        which noise could be computed again.
    epsilon, delta : float or None
        Differential privacy of the images; None where there is none.

    Raises
    ------
    ParameterError
    """

    generator: str
    version: str
    run: str
    epsilon: float | None = None
    delta: float | None = None

    def __post_init__(self) -> None:
        for name in ("generator", "version", "run"):
            if not plain(getattr(self, name)):
                raise ParameterError(f"{name} must be 1 to {_LONGEST} plain characters, got others; shorten or mend it")
        if (self.epsilon is None) != (self.delta is None):
            raise ParameterError("epsilon and delta must come together, got one of them; give both or neither")

    def privacy(self, schema: ImageSchema) -> str:
        """The guarantee in words."""
        if self.epsilon is None:
            return "no patient's data used" if schema.phantom else "no differential privacy"
        return f"differential privacy, epsilon {self.epsilon:.6g}, delta {self.delta:.6g}, unit: {schema.privacy_unit}"

    def words(self, schema: ImageSchema) -> str:
        """One sentence for comments and descriptions, plain ASCII."""
        kind = "SYNTHETIC PHANTOM, shows no patient" if schema.phantom else "SYNTHETIC"
        return f"{kind}; made by {self.generator} {self.version}, run {self.run}; {self.privacy(schema)}"


def plain(text: str) -> bool:
    """Whether the text is 1 to 64 printable ASCII characters without those that divide values or names in DICOM."""
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable() and not set(text) & set("\\^=")


def about(table: ImageTable, schema: ImageSchema, made_by: MadeBy, stored: str) -> dict[str, Any]:
    """All facts of a folder as plain JSON values; ``stored`` says in words how intensities are kept."""
    return {
        "synthetic": True,
        "phantom": schema.phantom,
        "cohort": schema.name,
        "title": schema.title,
        **asdict(made_by),
        "privacy": made_by.privacy(schema),
        "privacy_unit": schema.privacy_unit.value,
        "images": len(table),
        "patients": len(table.patients),
        "modality": schema.modality.value,
        "body_part": schema.body_part.value,
        "unit": schema.unit.value,
        "window": list(schema.window),
        "size": list(schema.size),
        "spacing_mm": None if schema.spacing is None else list(schema.spacing),
        "mask": {str(value): name for value, name in schema.mask.items()},
        "labels": list(schema.labels),
        "stored": stored,
    }
