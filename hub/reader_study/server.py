"""The web server of one reader study.

Belongs here: the process. Does not belong here: pages (``page``).
"""

from pathlib import Path

import uvicorn

from hub.reader_study.page import build
from hub.reader_study.permission import loopback
from hub.reader_study.study import read_study
from records.errors import ParameterError


def serve(folder: Path, port: int, *, host: str = "127.0.0.1") -> None:
    """Serve a study until a signal. Answers are kept in its folder, and the next start goes on where this one ended.

    Parameters
    ----------
    host : str
        Address to listen on; images without a permit, or that must not leave, are served on this machine only.

    Raises
    ------
    ParameterError
        Such images were to be served to others.
    StorageError
        The folder is not that of a study.
    """
    if read_study(folder).local_only and not loopback(host):
        raise ParameterError(
            f"images without a permit must stay on this machine, got the address {host}; use 127.0.0.1"
        )
    # A proxy's word about who asks is not believed: whether images may be shown depends on it.
    uvicorn.run(build(folder), host=host, port=port, log_level="warning", proxy_headers=False)
