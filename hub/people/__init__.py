"""Who may do what: accounts, roles, sign-in and sessions.

Belongs here: identity and its proofs. Does not belong here: what a role may see on a page (``web``).
"""
