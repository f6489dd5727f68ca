"""The OMOP mapping of a cohort: ``omop_<cohort>.yaml`` beside its codebook.

Belongs here: finding the file. Does not belong here: what a mapping is or does (``harmonisation.omop``).
"""

from harmonisation.omop.fit import fitted
from harmonisation.omop.mapping import OmopMapping, load_mapping
from records.errors import CodebookError
from use_cases.cohort import Cohort


def omop_mapping(cohort: Cohort) -> OmopMapping | None:
    """The cohort's mapping, or ``None`` if nobody wrote one.

    Raises
    ------
    CodebookError
        The file is not a mapping, is another cohort's, or does not fit the codebook.
    """
    path = cohort.folder / f"omop_{cohort.name}.yaml"
    if not path.is_file():
        return None
    mapping = load_mapping(path)
    if mapping.cohort != cohort.name:
        raise CodebookError(f"{path.name} must be the mapping of {cohort.name}, got one of {mapping.cohort}; rename it")
    return fitted(mapping, cohort.table)
