"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import (
    audit,
    catalogue,
    computations,
    duties,
    front,
    holder,
    inbox,
    market,
    market_computations,
    market_disputes,
    market_holder,
    market_purchases,
    money,
    offers,
    oidc,
    operator,
    output_checks,
    repository,
    requests,
    sign_in,
    statistics,
)

ROOMS = (
    duties.routes,
    statistics.routes,
    audit.routes,
    output_checks.routes,
    catalogue.routes,
    computations.routes,
    front.routes,
    holder.routes,
    inbox.routes,
    market.routes,
    market_computations.routes,
    market_disputes.routes,
    market_holder.routes,
    market_purchases.routes,
    money.routes,
    offers.routes,
    requests.routes,
    oidc.routes,
    operator.routes,
    repository.routes,
    sign_in.routes,
)
