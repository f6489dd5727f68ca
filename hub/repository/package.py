"""The package of a delivery: one zip file with data, manifest, report, licence and checksums.

Belongs here: packing. Does not belong here: what is packed.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from hub.repository.archives import safe_name
from records.errors import ParameterError

# The least date a zip file can hold: equal contents give equal bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
STORED = (".parquet", ".png", ".gz")  # compressed already
UNIX = 3


def pack(files: Mapping[str, bytes], target: Path) -> Path:
    """Write ``files`` (name to bytes) and their ``SHA256SUMS`` to ``target``; equal files give equal bytes.

    Raises
    ------
    ParameterError
        A name would leave the folder it is unpacked in.
    """
    if not all(safe_name(name) for name in files):
        raise ParameterError("a package's names must be plain relative paths, got another; rename the file")
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    with zipfile.ZipFile(target, "w") as package:
        for name, data in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = UNIX, 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            package.writestr(entry, data)
    return target
