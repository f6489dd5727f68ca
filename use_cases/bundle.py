"""Make the bundled tables again from the published files: ``python -m use_cases.bundle <folder>``.

Belongs here: the one-off conversion, kept so that it can be repeated. Does not belong here: anything at run time.
"""

import sys
from pathlib import Path

from records.files import write_table
from use_cases.registry import discover


def bundle(folder: Path) -> dict[str, str]:
    """Write each bundled cohort's Parquet beside its codebook and return name -> sha256."""
    hashes = {}
    for use_case in discover().values():
        for cohort in use_case.cohorts:
            if cohort.source.bundled is not None:
                table = cohort.load(folder / cohort.source.file)
                hashes[cohort.name] = write_table(cohort.folder / cohort.source.bundled, table).sha256
    return hashes


if __name__ == "__main__":
    for name, digest in bundle(Path(sys.argv[1])).items():
        print(name, digest)
