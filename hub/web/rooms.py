"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import front, oidc, operator, sign_in

ROOMS = (front.routes, oidc.routes, operator.routes, sign_in.routes)
