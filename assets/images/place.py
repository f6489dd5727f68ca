"""Whose images an asset works on and where they are kept, as one value the image assets share.

Belongs here: keys, schema and paths. Does not belong here: anything done to an image.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.workspace import Workspace
from records.images.schema import ImageSchema
from use_cases.images.codebook import ImageCohort
from use_cases.registry import UseCase


@dataclass(frozen=True)
class ImagePlace:
    """An image cohort of a use case; ``folder`` holds its files unless it is simulated."""

    use_case: UseCase
    cohort: ImageCohort
    folder: Path | None
    workspace: Workspace

    @property
    def prefix(self) -> list[str]:
        """First parts of the asset keys: simulated images are never called anything else."""
        return [self.use_case.key, "phantom_images" if self.cohort.image.phantom else "images"]

    @property
    def name(self) -> str:
        """The prefix as one path."""
        return "/".join(self.prefix)

    @property
    def group(self) -> str:
        """Group of the assets in the UI."""
        return "_".join(self.prefix)

    @property
    def schema(self) -> ImageSchema:
        """What may be synthesised and released."""
        from deidentification.images import released_images

        return released_images(self.cohort.image)

    @property
    def formats(self) -> tuple[str, ...]:
        """What can hold the images."""
        from records.images.writing import formats_of

        return tuple(form.value for form in formats_of(self.cohort.image))

    @property
    def page(self) -> Path:
        """The HTML report."""
        return self.workspace.page(self.group)

    def described(self, words: str) -> str:
        """An asset's description; simulated images are said to be so."""
        return (
            f"{words} Phantom: simulated from published anatomy, no patients." if self.cohort.image.phantom else words
        )

    def stored(self, manager: str | None, *kinds: str) -> dict[str, Any]:
        """What all image assets hand to Dagster."""
        shared = {"key_prefix": self.prefix, "group_name": self.group, "owners": [self.use_case.owner]}
        return shared | {"kinds": set(kinds)} | ({"io_manager_key": manager} if manager else {})
