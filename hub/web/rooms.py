"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import catalogue, front, holder, oidc, operator, repository, sign_in

ROOMS = (catalogue.routes, front.routes, holder.routes, oidc.routes, operator.routes, repository.routes, sign_in.routes)
