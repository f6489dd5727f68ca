"""All rooms that have routes.

Belongs here: the list. Does not belong here: routes.
"""

from hub.web.routes import front, sign_in

ROOMS = (front.routes, sign_in.routes)
