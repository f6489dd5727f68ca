"""The package of a delivery: one zip file with data, manifest, report, licence and checksums.

Belongs here: packing. Does not belong here: what is packed.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

# The least date a zip file can hold: equal contents give equal bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
STORED = (".parquet", ".png")  # compressed already


def pack(files: Mapping[str, bytes], target: Path) -> Path:
    """Write ``files`` (name to bytes) and their ``SHA256SUMS`` to ``target``; equal files give equal bytes."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    with zipfile.ZipFile(target, "w") as package:
        for name, data in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
            package.writestr(entry, data)
    return target
