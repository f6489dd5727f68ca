"""What an attacker learns about real patients from synthetic ones.

Belongs here: attacks with intervals, and audits of mechanisms. Does not belong here: the guarantee itself (``models``)
or the decision (``gate``).
"""
