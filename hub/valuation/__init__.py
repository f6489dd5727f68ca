"""What each holder's data are worth to a stated purpose.

Belongs here: utilities, contributions of records and holders, copies, free riders, and words for them. Does not belong here:
money (``hub.money``), cents (``hub.market.splits``), reading tables of patients: callers hand over numbers.
"""
