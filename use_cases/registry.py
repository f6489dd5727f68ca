"""Which use cases there are: every folder here that holds a ``use_case.yaml``.

Belongs here: discovery. Does not belong here: a list of diseases.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from records.errors import CodebookError, ParameterError
from records.schema import Frozen
from use_cases.cohort import Cohort, load_codebook
from use_cases.images.codebook import ImageCohort, load_image_codebook

CODEBOOKS = (".yaml", ".yml")


class UseCase(Frozen):
    """A disease: its cohorts and image cohorts (the first is the default), k, release limits and privacy budget."""

    key: str
    title: str
    description: str
    owner: str
    k: int
    delta: float
    budget_rho: float
    limits: Mapping[str, float]
    cohorts: tuple[Cohort, ...]
    images: tuple[ImageCohort, ...]
    image_limits: Mapping[str, float] = {}

    def cohort(self, name: str) -> Cohort:
        """The cohort called ``name``."""
        for cohort in self.cohorts:
            if cohort.name == name:
                return cohort
        known = ", ".join(c.name for c in self.cohorts)
        raise ParameterError(f"the cohort of {self.key} must be one of {known}, got {name}; choose one of these")

    def chosen(self, setting: str | None) -> tuple[Cohort, str | None]:
        """The cohort and place that a setting names: ``<cohort>``, ``<place>`` or ``<cohort>=<place>``.

        A cohort may be an own codebook (YAML); a place is a file, a folder of FHIR bundles or DICOM files, or the URL of
        an OMOP database, see ``use_cases.sources``.

        Raises
        ------
        ParameterError
            The cohort is unknown.
        CodebookError
            The own codebook names no hospitals, or no outcome.
        """
        if not setting:
            return self.cohorts[0], None
        name, named, place = setting.partition("=")
        if named and name.endswith(CODEBOOKS):
            return own_cohort(Path(name)), place
        if named and "://" not in name:
            return self.cohort(name), place
        if any(c.name == setting for c in self.cohorts):
            return self.cohort(setting), None
        return self.cohorts[0], setting

    def chosen_images(self, setting: str | None) -> tuple[ImageCohort, Path | None]:
        """The image cohort and folder that a setting names: ``<cohort>``, ``<cohort>=<folder>``, or an own codebook
        (YAML) in the cohort's place.

        Raises
        ------
        ParameterError
            The cohort is unknown, or it is not a phantom and has no folder.
        """
        if not setting:
            return self.images[0], None
        name, _, folder = setting.partition("=")
        cohort = load_image_codebook(Path(name)) if name.endswith(CODEBOOKS) else self._images_of(name)
        if cohort.image.phantom == bool(folder):
            form = f"{name}, which is simulated" if cohort.image.phantom else f"{name}=<folder>"
            raise ParameterError(f"the image cohort must be given as {form}, got {setting}; mend the setting")
        return cohort, Path(folder) if folder else None

    def _images_of(self, name: str) -> ImageCohort:
        known = {cohort.name: cohort for cohort in self.images}
        if name not in known:
            raise ParameterError(
                f"the image cohort of {self.key} must be one of {', '.join(known)} or a codebook (YAML), got {name}; "
                "choose one of these"
            )
        return known[name]


def own_cohort(codebook: Path) -> Cohort:
    """A cohort of the user's own for a use case's whole way.

    Raises
    ------
    CodebookError
        It is no valid codebook, or names no hospitals or no outcome, which the way needs.
    """
    cohort = load_codebook(codebook)
    if not cohort.site_names or not cohort.table.outcomes:
        raise CodebookError(
            f"{codebook.name} must name hospitals (sites) and an outcome to be a use case's cohort, got none; add them, or "
            "take `phaseiv synthesize`, which needs neither"
        )
    return cohort


@cache
def discover() -> dict[str, UseCase]:
    """All use cases by key, in alphabetical order."""
    return {path.parent.name: _read(path) for path in sorted(Path(__file__).parent.glob("*/use_case.yaml"))}


def _read(path: Path) -> UseCase:
    entry = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    entry["cohorts"] = tuple(load_codebook(path.parent / f"{name}.yaml") for name in entry["cohorts"])
    entry["images"] = tuple(load_image_codebook(path.parent / f"{name}.yaml") for name in entry["images"])
    return UseCase(key=path.parent.name, **entry)
