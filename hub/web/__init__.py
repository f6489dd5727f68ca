"""The hub over HTTP: pages, forms and the REST API.

Belongs here: routes, templates, translation and web security. Does not belong here: rules; every route calls one function
of a room.
"""
