"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import front, operator, sign_in

ROOMS = (front.routes, operator.routes, sign_in.routes)
