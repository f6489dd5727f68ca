"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import front, oidc, operator, repository, sign_in

ROOMS = (front.routes, oidc.routes, operator.routes, repository.routes, sign_in.routes)
