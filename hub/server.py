"""The hub's web server.

Belongs here: the process: store, migrations, sweep of what has expired, uvicorn. Does not belong here: routes (``web``).
"""

import logging
import threading
from contextlib import suppress

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from hub.caller import Caller
from hub.database.migration import migrate
from hub.deployment import Deployment
from hub.web.application import build

SWEEP_SECONDS = 30.0
logger = logging.getLogger(__name__)


def serve(hub: Deployment, host: str, port: int) -> None:
    """Serve until a signal; downloads under way get ten seconds to end."""
    migrate(hub.database)
    stopping = threading.Event()
    sweeper = threading.Thread(target=_sweeps, args=(hub, stopping), daemon=True)
    sweeper.start()
    try:
        # The address of a proxy's client is believed from this machine only (uvicorn's own default).
        uvicorn.run(build(hub), host=host, port=port, log_level="warning", timeout_graceful_shutdown=10)
    finally:
        stopping.set()
        sweeper.join(timeout=5)


def sweep(hub: Deployment) -> None:
    """Destroy what has expired, end requests and unpaid purchases whose time is over, and sign the heads of the audit log and of the books."""
    from hub.access.service import sweep as end_requests
    from hub.audit.heads import sign_head
    from hub.market.purchases import lapse
    from hub.money import heads as books
    from hub.money.notary import LocalNotary
    from hub.repository.vault import expire

    now = hub.clock()
    with hub.database.write() as session:
        expire(session, hub, now)
        end_requests(Caller(session, now, hub))
        lapse(Caller(session, now, hub))
        sign_head(session, hub.keys, now)
        books.sign(session, LocalNotary(hub.keys), now)


def _sweeps(hub: Deployment, stopping: threading.Event) -> None:
    while not stopping.wait(SWEEP_SECONDS):
        with suppress(SQLAlchemyError, OSError):  # store or disk is away for a moment: the next sweep finds the same
            sweep(hub)
