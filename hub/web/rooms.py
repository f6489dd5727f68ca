"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import (
    audit,
    catalogue,
    front,
    holder,
    oidc,
    operator,
    output_checks,
    repository,
    sign_in,
    statistics,
)

ROOMS = (
    statistics.routes,
    audit.routes,
    output_checks.routes,
    catalogue.routes,
    front.routes,
    holder.routes,
    oidc.routes,
    operator.routes,
    repository.routes,
    sign_in.routes,
)
