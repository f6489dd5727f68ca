"""The temporary repository: released packages, encrypted, until they expire.

Belongs here: encryption, deposit, one-time download, destruction. Does not belong here: making data, or deciding who may
have it (``access``).
"""
