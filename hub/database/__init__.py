"""The hub's relational store.

Belongs here: the connection, the shared base of all tables and their migrations. Does not belong here: the tables
themselves, which live in the room that owns them (``people``, ``catalogue``, ``access``, ...).
"""
