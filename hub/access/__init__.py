"""Requests and permits: who may use which data for what, until when, and who decides.

Belongs here: the form, the states with the law's clocks, permits and standing offers. Does not belong here: making or
keeping data (``delivery``, ``repository``), or the description of data sets (``catalogue``).
"""
